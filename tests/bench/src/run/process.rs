//! A target's process: alone on its core, with an environment like Lambda's, ended with all its children.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, killpg};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// How much of what a target wrote is shown when it fails.
const LOG_SHOWN: usize = 4000;

/// How a target is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// All of its environment.
    pub environment: BTreeMap<String, String>,
}

/// A running target.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    clock: ClockId,
    /// Just before it was spawned.
    pub(super) spawned: Instant,
}

/// The core that targets have for themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cores {
    target: usize,
}

impl Cores {
    /// The first two that this process may use; the harness stays on the first from now on.
    ///
    /// # Errors
    /// There are not two.
    pub(super) fn take() -> io::Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut free = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false));
        let missing = || io::Error::other("two cores are needed: one for the harness, one for what it measures");
        let (harness, target) = (free.next().ok_or_else(missing)?, free.next().ok_or_else(missing)?);
        pin(harness)?;
        Ok(Self { target })
    }
}

/// Has the calling thread, and what it spawns, run on one core.
fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

impl Process {
    /// Starts it on the target's core; what it writes goes to `log`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(launch: &Launch, cores: Cores, log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        let (program, arguments) = launch.command.split_first().ok_or_else(|| io::Error::other("no command"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&launch.directory)
            .env_clear()
            .envs(&launch.environment)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        // A process inherits the core of the thread that spawns it.
        let spawning = std::thread::spawn(move || {
            pin(cores.target)?;
            let spawned = Instant::now();
            command.spawn().map(|child| (child, spawned))
        });
        let spawned = spawning.join().map_err(|_| io::Error::other("the spawning thread failed"))?;
        let (child, spawned) = spawned.map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let clock = clock_getcpuclockid(pid(&child))?;
        Ok(Self { child, log: log.to_owned(), clock, spawned })
    }

    /// Its identifier.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads until now, in the kernel too.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn cpu(&self) -> io::Result<Duration> {
        Ok(clock_gettime(self.clock)?.into())
    }

    /// The most memory that it ever had in RAM, in KB.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn peak_rss_kb(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|peak| peak.trim().parse().ok()).ok_or_else(|| io::Error::other("no VmHWM in its status"))
    }

    /// Bytes that it has written to its log.
    ///
    /// # Errors
    /// The log is gone.
    pub(super) fn log_bytes(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.log)?.len())
    }

    /// The end of what it has written.
    pub(super) fn log_end(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(LOG_SHOWN)..).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// That cannot be told.
    pub(super) fn ended(&mut self) -> io::Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either may be gone already.
        let _gone = killpg(pid(&self.child), Signal::SIGKILL);
        let _gone = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// CPU time of the harness until now.
///
/// # Errors
/// The kernel does not say.
pub(super) fn own_cpu() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}
