//! A share of a core for a target, as a function of 128 MB has: by the kernel's bandwidth control.
//!
//! Lambda gives 1,769 MB a whole vCPU, so 128 MB have 7.2 % of one, and it hands the share out in periods of 20 ms.
//! The target is put into its group after init, idle, so that its first period is whole: 1.45 ms run at full speed, and
//! what takes longer waits for the next period.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One period.
const PERIOD_US: u64 = 20_000;
/// 128 MB of the 1,769 MB that are a vCPU.
const QUOTA_US: u64 = PERIOD_US * 128 / 1769;
/// After so long the group's first period is over and its quota is whole.
pub(super) const SETTLED: Duration = Duration::from_millis(60);

/// A control group that limits CPU; it goes when it is dropped.
#[derive(Debug)]
pub(super) struct Quota {
    group: PathBuf,
    root: PathBuf,
}

impl Quota {
    /// A group of its own, by version 1 or 2 of the kernel's interface.
    ///
    /// # Errors
    /// Neither can be written.
    pub(super) fn new() -> io::Result<Self> {
        let name = format!("ordersync-bench-{}", std::process::id());
        let first = Self::version_1(Path::new("/sys/fs/cgroup/cpu"), &name);
        first.or_else(|_| Self::version_2(Path::new("/sys/fs/cgroup"), &name))
    }

    fn version_1(root: &Path, name: &str) -> io::Result<Self> {
        let quota = Self::made(root, name)?;
        fs::write(quota.group.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
        fs::write(quota.group.join("cpu.cfs_quota_us"), QUOTA_US.to_string())?;
        Ok(quota)
    }

    fn version_2(root: &Path, name: &str) -> io::Result<Self> {
        fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
        let quota = Self::made(root, name)?;
        fs::write(quota.group.join("cpu.max"), format!("{QUOTA_US} {PERIOD_US}"))?;
        Ok(quota)
    }

    fn made(root: &Path, name: &str) -> io::Result<Self> {
        let group = root.join(name);
        fs::create_dir(&group)?;
        Ok(Self { group, root: root.to_owned() })
    }

    /// Limits a process from now on.
    pub(super) fn limit(&self, process: u32) -> io::Result<()> {
        fs::write(self.group.join("cgroup.procs"), process.to_string())
    }

    /// Limits it no longer.
    pub(super) fn release(&self, process: u32) -> io::Result<()> {
        fs::write(self.root.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // A group that still has a process cannot go; it limits nobody else.
        drop(fs::remove_dir(&self.group));
    }
}
