//! The JSON API against its own description: what is made up from that is answered as it says.

use std::path::Path;
use std::process::Stdio;

use ordersync::ledger::Status;
use tokio::process::Command;

use super::api::Program;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-large";
const PIPELINE: &str = "large";
const TEMPLATE: &str = "erp-order.json.j2";
const ORDER: &str = "contract-1";

/// Requests of each endpoint beside those that cover its parameters one by one.
const MADE_UP: &str = "10";

/// It does everything to any export that it finds, so nothing else runs beside it.
#[tokio::test]
async fn what_is_made_up_from_the_description_is_answered_as_it_says() {
    let stack = Stack::get();
    stack.accept(SHOP, &generic(&order(ORDER))).await;
    stack.export(SHOP, ORDER, PIPELINE, Status::Exported).await;
    let ada = Program::of("ada").await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tool = root.join(".local/venv-api/bin/schemathesis");
    assert!(tool.is_file(), "schemathesis is not there: `make venv-api` installs it");
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(tool)
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(root.join("tests/api/schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/openapi.json", ada.url))
        .args(["--url", ada.url.strip_suffix("/api/v1").unwrap(), "--no-color", "--workers", "2"])
        .arg("--header")
        .arg(format!("Authorization: Bearer {}", ada.token.as_deref().unwrap()))
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", MADE_UP, "--continue-on-failure"])
        .envs([("API_SHOP", SHOP), ("API_ORDER", ORDER), ("API_PIPELINE", PIPELINE), ("API_TEMPLATE", TEMPLATE)])
        .env("PYTHONPATH", &root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    stack.ledger.resume(None, ordersync::clock::now()).await.unwrap();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}
