//! Counting a target's system calls while it works.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long it may take to attach.
const PATIENCE: Duration = Duration::from_secs(10);

/// `strace`, attached to a process and all its threads.
#[derive(Debug)]
pub(super) struct Strace {
    child: Child,
    summary: std::path::PathBuf,
}

impl Strace {
    /// Attaches to a process; its notes go to `directory`.
    pub(super) async fn attach(process: u32, directory: &Path) -> io::Result<Self> {
        let (summary, notes) = (directory.join("strace.txt"), directory.join("strace.log"));
        let child = Command::new("strace")
            .args(["--follow-forks", "--summary-only", "--output"])
            .arg(&summary)
            .args(["--attach", &process.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&notes)?)
            .spawn()?;
        let mut attached = Self { child, summary };
        let began = Instant::now();
        while !fs::read_to_string(&notes)?.contains("attached") {
            if attached.child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("strace: {}", fs::read_to_string(&notes)?.trim())));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Threads are attached one after the other.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(attached)
    }

    /// Detaches, and says how many calls there were.
    pub(super) fn calls(mut self) -> io::Result<u64> {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX)), Signal::SIGINT)?;
        self.child.wait()?;
        let summary = fs::read_to_string(&self.summary)?;
        total(&summary).ok_or_else(|| io::Error::other(format!("strace's summary has no total:\n{summary}")))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The number in the column `calls` of the line `total`.
fn total(summary: &str) -> Option<u64> {
    let line = summary.lines().rev().find(|line| line.trim_end().ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_found() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             60.00    0.000300           1       800         2 epoll_wait\n\
             40.00    0.000200           1       400           write\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.000500           1      1200         2 total\n";
        assert_eq!(total(summary), Some(1200));
        assert_eq!(total(""), None);
    }
}
