//! Functions that are given a wrong configuration.

use std::path::{Path, PathBuf};
use std::process::Command;

use ordersync::aws;

/// The functions' binaries lie beside the tests'.
fn binary(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().and_then(Path::parent).unwrap().join(name)
}

/// Starts a function as Lambda does, with a configuration of its own, and returns its exit code and log.
fn start(name: &str, document: &str) -> (Option<i32>, String) {
    let root = std::env::temp_dir().join(format!("ordersync-{name}-{}", std::process::id()));
    std::fs::create_dir_all(root.join("config")).unwrap();
    std::fs::write(root.join("config/ordersync.toml"), document).unwrap();
    let endpoint = aws::variable("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL of stack.env");
    let output = Command::new(binary(name))
        .env("LAMBDA_TASK_ROOT", &root)
        .env("AWS_ENDPOINT_URL", endpoint)
        .envs([("QUEUE_URL", "http://127.0.0.1/queue"), ("DLQ_URL", "http://127.0.0.1/dead"), ("TABLE", "table")])
        .env("BUCKET", "bucket")
        // A port that nobody listens on.
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
        .envs(["FUNCTION_NAME", "FUNCTION_VERSION"].map(|name| (format!("AWS_LAMBDA_{name}"), "test")))
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .output()
        .unwrap();
    std::fs::remove_dir_all(root).unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

const WRONG: &str = include_str!("../../shared/src/config/tests/wrong.toml");

#[test]
fn a_function_with_a_wrong_configuration_names_every_problem_and_does_not_start() {
    for name in ["processor", "reset-errors", "cancel-stale", "cleanup", "responses"] {
        let (code, log) = start(name, WRONG);
        assert_eq!(code, Some(1), "{log}");
        assert_eq!(log.lines().count(), 1, "said once: {log}");
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["level"], "ERROR");
        let message = line["message"].as_str().unwrap();
        let problems = message.lines().count() - 1;
        let summary = format!("{name} cannot start: the configuration has {problems} problems\n");
        assert!(problems > 20 && message.starts_with(&summary), "{message}");
        assert!(message.contains("ordersync.toml:26: pipelines[0].transport.timeout: expected a length of time"));
        assert!(!message.contains("hunter2") && !message.contains("user:secret"), "{message}");
    }
}

#[test]
fn intake_starts_unless_something_is_wrong_with_the_shops() {
    let (code, log) = start("intake", WRONG);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("intake cannot start: the configuration has"), "{log}");
    assert!(log.contains("shops[0]") && !log.contains("pipelines["), "{log}");
    let shops = "[[shops]]\ncode = \"acme\"\nplatform = \"adobe-io-events\"\nclient_id = \"none\"\n";
    let (_, log) = start("intake", &format!("{shops}[[pipelines]]\ncode = 1\n"));
    assert_eq!(log, "", "it goes on to ask Lambda for events, where there is none");
}
