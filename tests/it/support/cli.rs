//! The command line, as somebody calls it who has the account's own credentials.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ordersync::aws;
use serde_json::Value;

use super::stack::variable;

/// What a call of the program came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        said.keep();
        said
    }

    /// Adds it to what is looked through for secrets and personal data after the tests, where there is a file for it.
    fn keep(&self) {
        let Some(path) = aws::variable("CLI_LOG") else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{}\n{}\n", self.out, self.err).as_bytes()).unwrap();
    }

    /// Its result, where it was asked for JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// The program that the tests were built with, in a folder of the caller's.
fn program(folder: &Path, args: &[&str]) -> Command {
    // Tests lie in `deps/`, programs beside it.
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("ordersync");
    assert!(program.is_file(), "{} is missing: build the workspace's binaries", program.display());
    let mut command = Command::new(program);
    command.current_dir(folder).args(args).arg("--config").arg(config());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

/// Calls it, and waits for its end. The stack is found as a deployed one is: by its name.
pub(crate) async fn call(folder: &Path, args: &[&str]) -> Said {
    let mut command = program(folder, args);
    Said::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

/// Calls it on the local stack by a file of its variables.
pub(crate) async fn call_locally(folder: &Path, args: &[&str]) -> Said {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "API_URL",
        "QUEUE_URL",
        "TABLE",
        "BUCKET",
    ];
    let lines: Vec<String> = names.iter().map(|name| format!("{name}={}", variable(name))).collect();
    let file = folder.join("stack.env");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut command = program(folder, args);
    command.env_clear().arg(format!("--local={}", file.display()));
    Said::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

/// Begins a call.
pub(crate) fn begin(folder: &Path, args: &[&str]) -> Child {
    program(folder, args).spawn().unwrap()
}

/// What a call came to that was begun.
pub(crate) async fn end(child: Child) -> Said {
    Said::of(tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap())
}
