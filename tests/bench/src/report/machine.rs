//! What the figures were measured on, and with what: kept beside them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use ordersync::clock;
use serde::{Deserialize, Serialize};

/// Where it is kept, from the workspace's root.
pub const PLACE: &str = "target/bench/machine.json";

/// The packages of ours that a figure depends on most.
const RUST_PACKAGES: [&str; 7] =
    ["aws-sdk-sqs", "aws-sdk-dynamodb", "aws-sdk-s3", "lambda_runtime", "hyper", "rustls", "ring"];
/// Those of Node.js.
const NODE_PACKAGES: [&str; 3] = ["@aws-sdk/", "aws-lambda-ric", "@aws-lambda-powertools/"];
/// Those of Python.
const PYTHON_PACKAGES: [&str; 4] = ["boto3", "botocore", "awslambdaric", "aws-lambda-powertools"];

/// The machine and the versions of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// The day of the run.
    pub date: String,
    /// The processor.
    pub cpu: String,
    /// How many cores this process may use.
    pub cores: usize,
    /// Memory, in GB.
    pub memory_gb: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// Versions of languages by their names.
    pub languages: BTreeMap<String, String>,
    /// Versions of packages, by language.
    pub packages: BTreeMap<String, BTreeMap<String, String>>,
    /// The commit that was measured, where there is one.
    pub commit: Option<String>,
}

impl Machine {
    /// This one, now.
    pub fn look(root: &Path, target: &Path) -> Self {
        let cpu =
            line(Path::new("/proc/cpuinfo"), "model name").or_else(|| line(Path::new("/proc/cpuinfo"), "Processor"));
        let memory = line(Path::new("/proc/meminfo"), "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
        let memory: u64 = memory.unwrap_or_default();
        let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let node = target.join("bench/peers/node/node");
        let python = target.join("bench/peers/python/venv/bin/python");
        let languages = [("Rust", PathBuf::from("rustc")), ("Node.js", node), ("Python", python)];
        let version = |(name, program): (&str, PathBuf)| Some((name.to_owned(), said(&program, "--version", root)?));
        let packages = BTreeMap::from([
            ("Rust".to_owned(), rust_packages(root)),
            ("Node.js".to_owned(), node_packages(root)),
            ("Python".to_owned(), python_packages(root)),
        ]);
        Self {
            date: clock::now().strftime("%Y-%m-%d").to_string(),
            cpu: cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            memory_gb: memory / 1024 / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            system: system.unwrap_or("Linux").trim_matches('"').to_owned(),
            languages: languages.into_iter().filter_map(version).collect(),
            packages,
            commit: said(Path::new("git"), "rev-parse --short HEAD", root),
        }
    }

    /// Reads what a run wrote.
    ///
    /// # Errors
    /// The file is not there, or not as [`Machine::write`] writes it.
    pub fn read(file: &Path) -> io::Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(file, serde_json::to_string_pretty(self)? + "\n")
    }
}

/// What comes after a name and a colon in a file of such lines.
fn line(file: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    found.map(|value| value.trim().to_owned())
}

/// The first line of what a program says; nothing where it cannot be run.
fn said(program: &Path, arguments: &str, directory: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments.split(' ')).current_dir(directory).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    output.status.success().then_some(text)
}

fn rust_packages(root: &Path) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let text = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    let lock: Lock = toml::from_str(&text).unwrap_or(Lock { package: Vec::new() });
    let wanted = lock.package.into_iter().filter(|package| RUST_PACKAGES.contains(&package.name.as_str()));
    wanted.map(|package| (package.name, package.version)).collect()
}

fn node_packages(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("tests/bench/peers/node/package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let all = ["dependencies", "devDependencies"].into_iter().filter_map(|name| package[name].as_object()).flatten();
    let wanted = all.filter(|(name, _)| NODE_PACKAGES.iter().any(|wanted| name.starts_with(wanted)));
    wanted.map(|(name, version)| (name.clone(), version.as_str().unwrap_or_default().to_owned())).collect()
}

fn python_packages(root: &Path) -> BTreeMap<String, String> {
    let files =
        ["intake", "processor", "runtime"].map(|name| format!("tests/bench/peers/python/requirements-{name}.txt"));
    let texts = files.iter().map(|file| fs::read_to_string(root.join(file)).unwrap_or_default()).collect::<String>();
    let pinned = texts.lines().filter_map(|line| line.trim().split_once("=="));
    // Behind the version come the hashes.
    let word = |text: &str, end| text.split(end).next().unwrap_or_default().to_owned();
    let pinned = pinned.map(|(name, version)| (word(name, '['), word(version, ' ')));
    pinned.filter(|(name, _)| PYTHON_PACKAGES.contains(&name.as_str())).collect()
}
