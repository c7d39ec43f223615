//! The program as somebody calls it, as far as no AWS is needed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Calls the program in `folder`, without what the caller's environment has, and returns its exit code and what it said.
fn call(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ordersync")).env_clear().current_dir(folder).args(args).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const CONFIG: &str = r#"
[[shops]]
code = "acme"
platform = "shopify"
secrets = ["acme-webhook"]

[[pipelines]]
code = "erp"
filter = { placed_after = 2027-01-01T00:00:00Z }
format = { type = "template", template = "order.json.j2" }
transport = { type = "http", url = "https://erp.example.com/orders?key=hidden" }

[[pipelines]]
code = "archive"
format = { type = "json" }
transport = { type = "s3", key = "orders/{{ order.shop }}/{{ order.id }}.json" }
"#;
const TEMPLATE: &str = "{\n  \"number\": {{ order.number }},\n  \"total\": {{ order.total }}\n}\n";

fn configured() -> tempfile::TempDir {
    folder(&[("ordersync.toml", CONFIG), ("order.json.j2", TEMPLATE)])
}

#[test]
fn help_says_what_there_is_and_how_it_ends() {
    let (code, out, _) = call(&root(), &["--help"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(out);
    for command in [
        "list",
        "show",
        "tail",
        "reset",
        "export-now",
        "cancel",
        "skip",
        "delete",
        "replay",
        "check",
        "render",
        "send",
        "backfill",
        "import-status",
        "pause",
        "resume",
        "hash-password",
        "completions",
    ] {
        let (code, out, _) = call(&root(), &[command, "--help"]);
        assert!(code == Some(0) && out.contains("Examples:\n  ordersync "), "{command}: {out}");
    }
}

#[test]
fn a_call_that_makes_no_sense_ends_with_two() {
    for args in [
        &[][..],
        &["nothing"],
        &["pause"],
        &["pause", "--all", "--pipeline", "erp"],
        &["send", "acme"],
        &["render", "--pipeline", "erp"],
        &["backfill", "s3://", "--shop", "acme"],
        &["import-status", "x.csv", "--shop", "acme"],
        &["check", "--max-receive-count", "0"],
        &["list", "--status", "failed"],
        &["list", "--since", "soon"],
        &["show", "1", "--reveal"],
        &["reset"],
        &["replay"],
    ] {
        assert_eq!(call(&root(), args).0, Some(2), "{args:?}");
    }
    // What only the program itself can tell ends in the same way.
    let folder = configured();
    let (code, _, err) = call(folder.path(), &["backfill", "x", "--shop", "acme", "--rate", "0"]);
    assert_eq!((code, err.as_str()), (Some(2), "error: --rate: expected a number above 0, up to 10000\n"));
}

#[test]
fn a_configuration_that_is_right_is_called_so() {
    let folder = configured();
    let (code, out, err) = call(folder.path(), &["check"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, ".: nothing is wrong (shops: 1, pipelines: 2)\n");
    let (code, out, _) = call(&root(), &["check", "examples/quickstart", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["ok"], &report["problems"]), (Some(0), &true.into(), &serde_json::json!([])));
}

#[test]
fn everything_that_is_wrong_is_said_with_file_and_line() {
    let text = CONFIG
        .replace("platform = \"shopify\"", "platform = \"shopfy\"")
        .replace("{ type = \"json\" }", "{ type = \"jsn\" }");
    let folder = folder(&[("ordersync.toml", &text), ("order.json.j2", "{{ order.nmber }}")]);
    let (code, out, _) = call(folder.path(), &["check"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(out);
    let (code, out, _) = call(folder.path(), &["check", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let lines: Vec<_> = report["problems"].as_array().unwrap().iter().map(|problem| problem["line"].clone()).collect();
    assert_eq!((code, lines.len()), (Some(1), 3), "{report}");
    let (code, _, err) = call(folder.path(), &["check", "nowhere"]);
    assert!(code == Some(3) && err.starts_with("error: nowhere/ordersync.toml cannot be read"), "{err}");
}

#[test]
fn more_attempts_than_the_queue_delivers_are_wrong() {
    let text = CONFIG
        .replace("[[pipelines]]\ncode = \"erp\"", "[[pipelines]]\ncode = \"erp\"\nretries = { max_attempts = 12 }");
    let folder = folder(&[("ordersync.toml", &text), ("order.json.j2", TEMPLATE)]);
    assert_eq!(call(folder.path(), &["check"]).0, Some(1));
    assert_eq!(call(folder.path(), &["check", "--max-receive-count", "12"]).0, Some(0));
}

#[test]
fn a_document_is_shown_and_beside_it_what_would_become_of_it() {
    let folder = configured();
    let webhook = root().join("events/webhooks/shopify.json");
    let webhook = webhook.to_str().unwrap();
    let (code, out, err) =
        call(folder.path(), &["render", webhook, "--shop", "acme", "--pipeline", "erp", "--explain"]);
    assert_eq!(code, Some(0), "{err}");
    insta::assert_snapshot!(format!("{err}---\n{out}"));
    let (code, out, err) = call(
        folder.path(),
        &[
            "render",
            "--sample",
            "woocommerce",
            "--pipeline",
            "archive",
            "--explain",
            "--json",
            "--bucket",
            "acme-orders",
        ],
    );
    let rendered: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(rendered["explanation"]["target"], "s3://acme-orders/orders/sample/5217.json");
    let document: serde_json::Value = serde_json::from_str(rendered["document"].as_str().unwrap()).unwrap();
    assert_eq!(document["shop"], "sample");
}

#[test]
fn a_topic_and_headers_say_what_happened() {
    let folder = configured();
    let webhook = root().join("events/webhooks/shopify.json");
    let render = ["render", webhook.to_str().unwrap(), "--shop", "acme", "--pipeline", "erp", "--explain", "--json"];
    std::fs::write(folder.path().join("headers.txt"), "X-Shopify-Topic: orders/cancelled\n").unwrap();
    let (_, out, _) = call(folder.path(), &[&render[..], &["--headers", "headers.txt"]].concat());
    let rendered: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&rendered["explanation"]["events"], &rendered["explanation"]["is_run"]),
        (&serde_json::json!(["canceled"]), &false.into())
    );
}

#[test]
fn a_template_by_itself_is_tried_and_its_error_has_a_line() {
    let folder = configured();
    let render = |template: &str| call(folder.path(), &["render", "--sample", "shopify", "--template", template]);
    let (code, out, _) = render("order.json.j2");
    assert_eq!((code, out.as_str()), (Some(0), "{\n  \"number\": \"#N1042\",\n  \"total\": 117.67\n}\n"));
    std::fs::write(folder.path().join("broken.json.j2"), "{\n  {{ order.nmber }}\n}\n").unwrap();
    let (code, _, err) = render("broken.json.j2");
    assert!(code == Some(1) && err.starts_with("error: broken.json.j2:2: "), "{err}");
    std::fs::write(folder.path().join("loose.json.j2"), "{ \"number\": {{ order.number }}").unwrap();
    let (code, _, err) = render("loose.json.j2");
    assert!(code == Some(1) && err.contains("loose.json.j2: the result is"), "{err}");
}

#[test]
fn a_stack_that_is_not_there_is_said_before_anything_is_done() {
    let folder = configured();
    let (code, _, err) = call(folder.path(), &["pause", "--all", "--local"]);
    assert_eq!(
        (code, err.as_str()),
        (Some(3), "error: .local/stack.env is not there: is the local stack up (make up)?\n")
    );
    let (code, _, err) = call(folder.path(), &["pause", "--all", "--json", "--local=none.env"]);
    let error: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!((code, &error["error"]["code"]), (Some(3), &"not_found".into()));
}

#[test]
fn aws_that_does_not_answer_is_not_a_stack_that_is_missing() {
    let folder = configured();
    let aws = |variables: &[(&str, &str)]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ordersync"));
        program.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", folder.path());
        program.envs(variables.iter().copied()).args(["pause", "--all"]).output().unwrap()
    };
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret-key"), ("AWS_REGION", "eu-central-1")];
    // Nobody listens on the port for discarding.
    let nobody = aws(&[&keys[..], &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]].concat());
    let err = String::from_utf8_lossy(&nobody.stderr);
    assert_eq!(nobody.status.code(), Some(5), "{err}");
    assert!(
        err.starts_with("error: the stack \"ordersync\" cannot be looked up: ") && !err.contains("secret-key"),
        "{err}"
    );
    assert_eq!(aws(&keys[..2]).status.code(), Some(2), "without a region");
    assert_eq!(aws(&keys[2..]).status.code(), Some(5), "without credentials");
}

#[test]
fn completions_are_made_for_each_shell() {
    for (shell, sign) in [("bash", "_ordersync()"), ("zsh", "#compdef ordersync"), ("fish", "complete -c ordersync")] {
        let (code, out, _) = call(&root(), &["completions", shell]);
        assert!(code == Some(0) && out.contains(sign) && out.contains("import-status"), "{shell}");
    }
}

#[test]
fn a_password_is_read_from_the_input_and_never_repeated() {
    let hash = |password: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ordersync"));
        program.env_clear().arg("hash-password").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = program.spawn().unwrap();
        running.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        assert!(!said.concat().contains(password.trim()), "{said:?}");
        (output.status.code(), said)
    };
    let (code, [out, err]) = hash("correct horse battery staple\n");
    assert!(code == Some(0) && err.is_empty() && out.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{out}{err}");
    let (code, [out, err]) = hash("too short\n");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(err, "error: the password: expected 12 characters or more, found 9\n");
}
