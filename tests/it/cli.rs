//! The command line on a real stack.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use ordersync::ledger::Status;
use serde_json::{Value, json};

use crate::support::cli::{begin, call, call_locally, end};
use crate::support::eventually;
use crate::support::process::interrupt;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

/// A folder of a test's own, which goes with it.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Orders, each on a line.
fn lines(orders: impl IntoIterator<Item = Value>) -> String {
    orders.into_iter().flat_map(|order| [order.to_string(), "\n".to_owned()]).collect()
}

#[tokio::test]
async fn what_is_sent_is_taken_as_the_shops_own_and_the_secret_is_never_said() {
    let (stack, folder) = (Stack::get(), folder());
    write(folder.path(), "order.json", order("cli-sent").to_string());
    write(folder.path(), "wrong", "another secret");
    let wrong = ["send", "it-cli-sent", "order.json", "--secret-file", "wrong", "--json"];
    let refused = call_locally(folder.path(), &wrong).await;
    assert_eq!((refused.code, &refused.json()[0]["status"]), (Some(1), &json!(401)), "{refused:?}");
    assert!(!format!("{refused:?}").contains("another secret"));
    let sent = call_locally(folder.path(), &["send", "it-cli-sent", "order.json", "--repeat", "3", "--json"]).await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let statuses: Vec<_> = sent.json().as_array().unwrap().iter().map(|answer| answer["status"].clone()).collect();
    assert_eq!(statuses, [202, 202, 202]);
    // The pipeline that takes nothing says so.
    let row = stack.export("it-cli-sent", "cli-sent", "cli-paused", Status::Skipped).await;
    assert_eq!(row.last_error.as_deref(), Some("when is false: false"));
    let unknown = call(folder.path(), &["send", "it-nobody", "order.json"]).await;
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(3), ""), "{unknown:?}");
    assert!(unknown.err.starts_with("error: no shop \"it-nobody\" is configured; there are: demo-"), "{unknown:?}");
    let nowhere = call(folder.path(), &["send", "it-cli", "order.json", "--stack", "it-no-stack"]).await;
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
}

#[tokio::test]
async fn a_backfill_that_is_interrupted_goes_on_and_nothing_is_exported_twice_or_lost() {
    let (stack, folder) = (Stack::get(), folder());
    let receiver = Receiver::start(19583, |_, _| Reply::ok(""));
    let ids: Vec<String> = (0..60).map(|number| format!("cli-back-{number}")).collect();
    let early = (0..5).map(|number| {
        let mut order = order(&format!("cli-early-{number}"));
        order["placed_at"] = json!("2025-06-01T10:00:00Z");
        order
    });
    let text = lines(early) + "{\"id\": 7}\n" + lines(ids.iter().map(|id| order(id))).as_str();
    write(folder.path(), "orders.jsonl", &text);
    let backfill = ["backfill", "orders.jsonl", "--shop", "it-cli", "--concurrency", "4", "--json"];

    let dry = call(folder.path(), &[&backfill[..], &["--dry-run"]].concat()).await;
    let (sent, skipped, rejected) = (60, 5, 1);
    let told = |said: &Value| (said["sent"].clone(), said["skipped"].clone(), said["rejected"].clone());
    assert_eq!((dry.code, told(&dry.json())), (Some(1), (json!(sent), json!(skipped), json!(rejected))), "{dry:?}");
    assert_eq!(dry.json()["declined"]["cli"]["placed before 2026-01-01T00:00:00Z"], json!(5), "{dry:?}");
    assert!(!folder.path().join("orders.jsonl.state.json").exists());

    // Slow enough that it can be stopped on its way.
    let child = begin(folder.path(), &[&backfill[..], &["--rate", "10"]].concat());
    let state = folder.path().join("orders.jsonl.state.json");
    let read = || serde_json::from_slice::<Value>(&std::fs::read(&state).ok()?).ok();
    let after = |state: Value| state["after_line"].as_u64().unwrap();
    eventually("some of it to be done", async || read().map(after).filter(|line| *line > 12)).await;
    interrupt(child.id());
    let interrupted = end(child).await;
    assert_eq!((interrupted.code, &interrupted.json()["finished"]), (Some(130), &json!(false)), "{interrupted:?}");
    let stopped_at = after(read().unwrap());
    assert!(stopped_at < 66, "{interrupted:?}");

    let resumed = call(folder.path(), &backfill).await;
    let said = resumed.json();
    assert_eq!((resumed.code, told(&said)), (Some(1), (json!(sent), json!(skipped), json!(rejected))), "{resumed:?}");
    assert_eq!((&said["finished"], &said["resumed_after_line"]), (&json!(true), &json!(stopped_at)));
    let rejects = std::fs::read_to_string(folder.path().join("orders.jsonl.rejects.jsonl")).unwrap();
    let reject: Value = serde_json::from_str(&rejects).unwrap();
    assert_eq!(reject["line"], json!(6), "{rejects}");

    for id in &ids {
        stack.export("it-cli", id, "cli", Status::Exported).await;
    }
    let keys: Vec<String> = receiver.requests().iter().map(|request| request.key().to_owned()).collect();
    assert_eq!((keys.len(), keys.iter().collect::<BTreeSet<_>>().len()), (60, 60), "each once");
    assert_eq!(stack.row("it-cli", "cli-early-0", "cli").await, None, "what no pipeline takes is not sent");

    let over = call(folder.path(), &backfill).await;
    assert_eq!(over.code, Some(4), "{over:?}");
    write(folder.path(), "orders.jsonl", text + "\n");
    let other = call(folder.path(), &backfill).await;
    assert!(other.code == Some(4) && other.err.contains("another file"), "{other:?}");
}

#[tokio::test]
async fn what_another_system_exported_is_not_exported_again() {
    let (stack, folder) = (Stack::get(), folder());
    let receiver = Receiver::start(19584, |_, _| Reply::ok(""));
    write(
        folder.path(),
        "que.csv",
        "id,increment_id,entity_id,created_at,synced_at,is_new_order\n\
         1,100001,cli-old-1,2026-02-01 10:00:00,2026-02-01 10:05:00,1\n\
         2,100002,cli-old-2,2026-02-02 10:00:00,2026-02-02 10:05:00,1\n\
         3,100003,cli-old-3,2026-02-03 10:00:00,NULL,1\n\
         4,100001,cli-old-1,2026-02-04 10:00:00,NULL,0\n",
    );
    let import = [
        "import-status",
        "que.csv",
        "--from",
        "ordersyncquerunner",
        "--shop",
        "it-cli-before",
        "--pipeline",
        "cli-before",
        "--pending",
        "pending.csv",
        "--json",
    ];
    let outcome = |said: &Value| said["pipelines"]["cli-before"].clone();
    let dry = call(folder.path(), &[&import[..], &["--dry-run"]].concat()).await;
    let expected = json!({ "imported": 2, "left_as_they_are": {} });
    assert_eq!((dry.code, outcome(&dry.json())), (Some(0), expected.clone()), "{dry:?}");
    assert_eq!(stack.row("it-cli-before", "cli-old-1", "cli-before").await, None);
    assert!(!folder.path().join("pending.csv").exists());

    let first = call_locally(folder.path(), &import).await;
    assert_eq!((first.code, outcome(&first.json())), (Some(0), expected), "{first:?}");
    let again = call(folder.path(), &import).await;
    let left = json!({ "imported": 0, "left_as_they_are": { "exported": 2 } });
    assert_eq!((again.code, outcome(&again.json())), (Some(0), left), "{again:?}");
    let pending = std::fs::read_to_string(folder.path().join("pending.csv")).unwrap();
    assert_eq!(pending, "order_id,number,placed_at,error\ncli-old-3,100003,2026-02-03T10:00:00Z,\n");
    let row = stack.row("it-cli-before", "cli-old-1", "cli-before").await.unwrap();
    assert_eq!((row.status, row.number.as_str()), (Status::Exported, "100001"));
    assert_eq!(row.destination.as_deref(), Some("imported from ordersyncquerunner"));
    assert_eq!(row.exported_at, Some("2026-02-01T10:05:00Z".parse().unwrap()));

    // All of them are fed in, from the bucket: only what was left is exported.
    let orders = (1..=3).map(|number| order(&format!("cli-old-{number}")));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines(orders).as_bytes()).unwrap();
    let (bucket, key) = (&stack.bucket, "it/cli/all.jsonl.gz");
    let put = stack.s3.put_object().bucket(bucket).key(key).body(packed.finish().unwrap().into());
    put.send().await.unwrap();
    let source = format!("s3://{bucket}/{key}");
    let fed = call(folder.path(), &["backfill", &source, "--shop", "it-cli-before", "--json"]).await;
    assert_eq!((fed.code, &fed.json()["sent"]), (Some(0), &json!(3)), "{fed:?}");
    assert!(folder.path().join("all.jsonl.gz.state.json").exists());
    let missing = call(folder.path(), &["backfill", &format!("{source}x"), "--shop", "it-cli-before"]).await;
    assert_eq!(missing.code, Some(3), "{missing:?}");
    stack.export("it-cli-before", "cli-old-3", "cli-before", Status::Exported).await;
    for number in 1..=3 {
        // Its message has been worked on once the other pipeline has spoken.
        stack.export("it-cli-before", &format!("cli-old-{number}"), "cli-paused", Status::Skipped).await;
    }
    let exported: Vec<String> = receiver.requests().iter().map(|request| request.key().to_owned()).collect();
    assert!(exported.contains(&"it-cli-before:cli-old-3:cli-before".to_owned()), "{exported:?}");
    assert!(exported.iter().all(|key| !key.contains("cli-old-1") && !key.contains("cli-old-2")), "{exported:?}");
}

#[tokio::test]
async fn a_pipeline_is_paused_and_resumed_by_its_name() {
    let (stack, folder) = (Stack::get(), folder());
    let pause = ["pause", "--pipeline", "cli-paused", "--reason", "stocktaking", "--json"];
    let said = call(folder.path(), &pause).await;
    let ours = |said: &Value| {
        let list = said.as_array().unwrap().iter();
        let ours = list.clone().find(|one| one["pipeline"] == "cli-paused");
        ours.map(|one| (one["is_on"].clone(), one["reason"].clone()))
    };
    assert_eq!((said.code, ours(&said.json())), (Some(0), Some((json!(true), json!("stocktaking")))), "{said:?}");
    assert!(stack.ledger.pauses().await.unwrap().holds("cli-paused"));
    let said = call_locally(folder.path(), &["resume", "--pipeline", "cli-paused", "--json"]).await;
    assert_eq!((said.code, ours(&said.json())), (Some(0), Some((json!(false), json!(null)))), "{said:?}");
    assert!(!stack.ledger.pauses().await.unwrap().holds("cli-paused"));
    stack.forget_pause("cli-paused").await;
    let unknown = call(folder.path(), &["pause", "--pipeline", "nobody"]).await;
    assert!(unknown.code == Some(3) && unknown.err.contains("no pipeline \"nobody\""), "{unknown:?}");
}

#[tokio::test]
async fn a_failed_export_is_found_understood_and_made_again() {
    let (stack, folder) = (Stack::get(), folder());
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let receiver = Receiver::start(19585, move |_, _| {
        if mended.load(Ordering::SeqCst) {
            return Reply::ok("");
        }
        Reply::Whole("400 Bad Request", Vec::new(), "{\"error\":\"no such sku\",\"email\":\"it@example.com\"}".into())
    });
    let ids: Vec<String> = (1..=5).map(|number| format!("cli-mend-{number}")).collect();
    for id in &ids {
        stack.accept("it-cli-mend", &generic(&order(id))).await;
    }
    for id in &ids {
        stack.export("it-cli-mend", id, "cli-mend", Status::Error).await;
    }
    let ours = ["--shop", "it-cli-mend", "--json"];
    let cli = async |args: &[&str]| call(folder.path(), args).await;

    let listed = cli(&[&["list", "--status", "error", "--since", "1h"][..], &ours].concat()).await;
    let orders = |said: &Value| said["exports"].as_array().unwrap().len();
    assert_eq!((listed.code, orders(&listed.json())), (Some(0), 5), "{listed:?}");
    let shown = cli(&["show", "N-cli-mend-1", "--json"]).await;
    let export = &shown.json()[0]["exports"][0];
    assert_eq!((shown.code, &export["status"]), (Some(0), &json!("error")), "{shown:?}");
    let said = export["history"][0]["response"].as_str().unwrap();
    assert!(said.contains("no such sku") && !said.contains("it@example.com"), "{said}");
    let payload = cli(&["show", "N-cli-mend-1", "--payload"]).await;
    assert!(payload.out.contains("cli-mend-1") && !payload.out.contains("it@example.com"), "{payload:?}");
    assert_eq!(cli(&["show", "nobody-ordered-this"]).await.code, Some(3));

    // Tried at once, in vain; then with success.
    let one = "it-cli-mend:cli-mend-1:cli-mend";
    let vain = cli(&["export-now", one]).await;
    assert_eq!(vain.code, Some(0), "{vain:?}");
    stack.export("it-cli-mend", "cli-mend-1", "cli-mend", Status::Error).await;
    is_mended.store(true, Ordering::SeqCst);
    let made = cli(&["export-now", one]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(stack.row("it-cli-mend", "cli-mend-1", "cli-mend").await.unwrap().status, Status::Exported);

    // What its state does not allow is refused.
    let over = cli(&["skip", one]).await;
    assert!(over.code == Some(4) && over.out.contains("there is nothing left to stop"), "{over:?}");
    let skipped = cli(&["skip", "N-cli-mend-2"]).await;
    assert_eq!(skipped.code, Some(0), "{skipped:?}");
    let canceled = cli(&["cancel", "cli-mend-3", "--shop", "it-cli-mend"]).await;
    assert_eq!(canceled.code, Some(0), "{canceled:?}");
    let unasked = cli(&["delete", "N-cli-mend-3"]).await;
    assert!(unasked.code == Some(2) && unasked.err.contains("--yes"), "{unasked:?}");
    assert_eq!(cli(&["delete", "N-cli-mend-3", "--yes"]).await.code, Some(0));
    assert_eq!(stack.row("it-cli-mend", "cli-mend-3", "cli-mend").await, None);

    let replay = [&["replay", "--status", "error"][..], &ours].concat();
    let dry = cli(&[&replay[..], &["--dry-run"]].concat()).await;
    assert_eq!((dry.code, &dry.json()["done"], &dry.json()["dry_run"]), (Some(0), &json!(2), &json!(true)), "{dry:?}");
    assert_eq!(cli(&replay).await.code, Some(2), "nobody is there to be asked");
    let done = cli(&[&replay[..], &["--yes"]].concat()).await;
    assert_eq!((done.code, &done.json()["done"]), (Some(0), &json!(2)), "{done:?}");
    for id in ["cli-mend-4", "cli-mend-5"] {
        stack.export("it-cli-mend", id, "cli-mend", Status::Exported).await;
    }
    assert_eq!(receiver.about("cli-mend-2").len(), 1, "it was skipped");

    let tail = [&["tail", "--since", "1h", "--status", "exported", "--changes", "3"][..], &ours].concat();
    let followed = cli(&tail).await;
    let numbers: BTreeSet<String> = followed
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].as_str().unwrap().to_owned())
        .collect();
    let expected = ["N-cli-mend-1", "N-cli-mend-4", "N-cli-mend-5"].map(ToOwned::to_owned);
    assert_eq!((followed.code, numbers), (Some(0), BTreeSet::from(expected)), "{followed:?}");
}
