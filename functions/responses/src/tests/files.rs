//! Response files.

use serde_json::{Value, json};

use super::objects::Objects;
use super::table::Table;
use super::{in_a_minute, responses, sample};

/// The notification of an object.
fn put(key: &str, version: &str) -> Value {
    let mut event = sample("responses-s3.json");
    let object = &mut event["Records"][0]["s3"];
    object["bucket"]["name"] = json!("bucket");
    object["object"] = json!({ "key": key, "size": 44, "versionId": version });
    event
}

/// Runs the function on an event; false where it fails, so that Lambda runs it again.
async fn run(table: &Table, objects: &Objects, event: &Value) -> bool {
    let answer = responses(table, objects).await.handle(event.clone(), in_a_minute()).await;
    assert!(matches!(&answer, Ok(Value::Null) | Err(_)));
    answer.is_ok()
}

/// Puts a file there and runs the function.
async fn file(table: &Table, objects: &Objects, name: &str, body: &str) {
    let key = format!("responses/{name}");
    let event = put(&key, &objects.put(&key, body));
    assert!(run(table, objects, &event).await);
}

fn reason(objects: &Objects, name: &str) -> Value {
    serde_json::from_str(&objects.text(&format!("responses/failed/{name}.reason.json"))).unwrap()
}

#[tokio::test]
async fn the_sample_event_is_true() {
    let (table, objects) = (Table::of(&["demo-shopify 7 10042 erp exported"]), Objects::default());
    let body = sample("responses-http.json")["body"].as_str().unwrap().to_owned();
    let mut event = sample("responses-s3.json");
    let size = event["Records"][0]["s3"]["object"]["size"].as_u64();
    assert_eq!(size, Some(body.len() as u64));
    let key = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned();
    event["Records"][0]["s3"]["object"]["versionId"] = json!(objects.put(&key, body));
    event["Records"][0]["s3"]["bucket"]["name"] = json!("bucket");
    assert!(run(&table, &objects, &event).await);
    assert_eq!(table.row("demo-shopify", "7", "erp"), "acknowledged ERP-2026-004711 -");
    assert_eq!(objects.keys(), ["responses/done/erp/10042.json"]);
}

#[tokio::test]
async fn a_file_whose_results_count_is_done_and_a_second_notification_is_quiet() {
    let (table, objects) =
        (Table::of(&["it-answers 1 N-1 answers exported", "it-answers 2 N-2 answers exported"]), Objects::default());
    let body = r#"{"results": [{"order": "N-1", "id": "E-1"}, {"order": "N-2", "error": "full"}]}"#;
    let key = "responses/answers/2026/J%C3%B6rg+%2B1.json";
    let version = objects.put("responses/answers/2026/Jörg +1.json", body);
    for _ in 0..3 {
        assert!(run(&table, &objects, &put(key, &version)).await);
        assert_eq!(objects.keys(), ["responses/done/answers/2026/Jörg +1.json"]);
        assert_eq!(table.writes(), 2);
    }
    assert_eq!(objects.text("responses/done/answers/2026/Jörg +1.json"), body);
    assert_eq!(table.row("it-answers", "1", "answers"), "acknowledged E-1 -");
    assert_eq!(table.row("it-answers", "2", "answers"), "error - the back office refused it: full");
}

#[tokio::test]
async fn a_file_that_is_overwritten_is_read_as_it_was_each_time() {
    let (table, objects) =
        (Table::of(&["it-answers 1 N-1 answers exported", "it-answers 2 N-2 answers exported"]), Objects::default());
    let key = "responses/answers/all.json";
    let first = objects.put(key, r#"{"results": [{"order": "N-1"}]}"#);
    let second = objects.put(key, r#"{"results": [{"order": "N-2"}]}"#);
    assert!(run(&table, &objects, &put(key, &first)).await);
    assert_eq!(table.row("it-answers", "2", "answers"), "exported - -");
    assert!(run(&table, &objects, &put(key, &second)).await);
    assert_eq!(table.row("it-answers", "2", "answers"), "acknowledged - -");
    assert_eq!(objects.keys(), ["responses/done/answers/all.json"]);
}

#[tokio::test]
async fn a_file_with_failed_results_is_set_aside_with_the_reason_and_the_others_count() {
    let (table, objects) = (Table::of(&["it-answers 1 N-1 answers exported"]), Objects::default());
    let body = r#"{"results": [{"order": "N-9"}, {"order": "N-1", "id": "E-1"}, {"name": "Erika"}]}"#;
    file(&table, &objects, "answers/a.json", body).await;
    assert_eq!(table.row("it-answers", "1", "answers"), "acknowledged E-1 -");
    let failed = "responses/failed/answers/a.json";
    assert_eq!(objects.keys(), [failed.to_owned(), format!("{failed}.reason.json")]);
    assert_eq!(objects.text(failed), body);
    let mut reason = reason(&objects, "answers/a.json");
    assert!(reason["at"].take().is_string());
    let expected = json!({
        "file": "responses/answers/a.json",
        "pipeline": "answers",
        "at": null,
        "reason": "2 of 3 results did not count",
        "acknowledged": 1,
        "refused": 0,
        "failed": [
            { "index": 0, "order": "N-9", "reason": "this pipeline has no export of this order" },
            { "index": 2, "path": "/order", "reason": "expected a text or a number" },
        ],
    });
    assert_eq!(reason, expected);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_set_aside_as_a_whole() {
    let table = Table::of(&["it-answers 1 N-1 answers exported", "demo-shopify 1 N-1 json exported"]);
    for (name, body, expected) in [
        ("answers/a.json", "{\"results\": [{\"order\": \"N-1\"}", "it is no JSON that can be read: line 1, column 29"),
        ("answers/a.json", "", "it is empty"),
        ("answers/a.json", "{}", "/results: expected a list of results, or a result"),
        (
            "nobody/a.json",
            "{\"order\": \"N-1\"}",
            "expected a key of the form responses/{pipeline}/…, with a pipeline that has responses",
        ),
        (
            "json/a.json",
            "{\"order\": \"N-1\"}",
            "expected a key of the form responses/{pipeline}/…, with a pipeline that has responses",
        ),
        (
            "a.json",
            "{\"order\": \"N-1\"}",
            "expected a key of the form responses/{pipeline}/…, with a pipeline that has responses",
        ),
    ] {
        let objects = Objects::default();
        file(&table, &objects, name, body).await;
        assert_eq!(reason(&objects, name)["reason"], expected, "{name}");
        assert_eq!(objects.text(&format!("responses/failed/{name}")), body);
        assert_eq!(objects.keys().len(), 2, "{name}");
    }
    assert_eq!(table.writes(), 0);
}

#[tokio::test]
async fn a_huge_file_is_set_aside_unread_and_one_beyond_copying_stays() {
    let table = Table::of(&["it-answers 1 N-1 answers exported"]);
    let body = r#"{"results": [{"order": "N-1"}]}"#;
    for (size, is_moved) in [(10_000_001, true), (6 * 1024 * 1024 * 1024, false)] {
        let objects = Objects::default().pretending(size);
        file(&table, &objects, "answers/a.json", body).await;
        let reason = reason(&objects, "answers/a.json");
        assert_eq!(reason["reason"], "expected at most 10000000 bytes: split it");
        assert_eq!(reason.get("left").is_none(), is_moved);
        assert_eq!(objects.keys().contains(&"responses/failed/answers/a.json".to_owned()), is_moved);
        assert_eq!(objects.keys().contains(&"responses/answers/a.json".to_owned()), !is_moved);
    }
    assert_eq!(table.writes(), 0);
    let objects = Objects::default().pretending(10_000_000);
    file(&table, &objects, "answers/a.json", body).await;
    assert_eq!(objects.keys(), ["responses/done/answers/a.json"]);
}

#[tokio::test]
async fn what_the_function_wrote_itself_and_folders_are_passed_over() {
    let (table, objects) = (Table::default(), Objects::default());
    // Whoever looked at them would fail.
    objects.set_down(true);
    for key in ["responses/done/erp/a.json", "responses/failed/erp/a.json", "responses/failed/erp/a.json.reason.json"] {
        assert!(run(&table, &objects, &put(key, "v1")).await, "{key}");
    }
    let mut folder = put("responses/erp/", "v1");
    folder["Records"][0]["s3"]["object"]["size"] = json!(0);
    assert!(run(&table, &objects, &folder).await);
    assert!(!run(&table, &objects, &put("responses/answers/a.json", "v1")).await);
}

#[tokio::test]
async fn each_record_is_dealt_with_whatever_becomes_of_the_others() {
    let (table, objects) = (Table::of(&["it-answers 1 N-1 answers exported"]), Objects::default());
    let mut event = put("responses/answers/gone.json", "v9");
    for (name, body) in [("bad", "no JSON"), ("good", r#"{"results": {"order": "N-1"}}"#)] {
        let key = format!("responses/answers/{name}.json");
        let record = put(&key, &objects.put(&key, body))["Records"][0].take();
        event["Records"].as_array_mut().unwrap().push(record);
    }
    assert!(run(&table, &objects, &event).await);
    assert!(table.row("it-answers", "1", "answers").starts_with("acknowledged"));
    let failed = "responses/failed/answers/bad.json";
    let expected = ["responses/done/answers/good.json".to_owned(), failed.into(), format!("{failed}.reason.json")];
    assert_eq!(objects.keys(), expected);
}

#[tokio::test]
async fn a_run_that_was_cut_short_is_made_up_for_by_the_next() {
    let objects = Objects::default();
    let key = "responses/answers/a.json";
    let event = put(key, &objects.put(key, r#"{"results": [{"order": "N-1"}, {"order": "N-2"}]}"#));
    let table = Table::of(&["it-answers 1 N-1 answers exported", "it-answers 2 N-2 answers exported"]).failing_after(2);
    assert!(!run(&table, &objects, &event).await, "the ledger is not to be had");
    assert_eq!(objects.keys(), [key], "the file stays");
    table.mended();
    objects.set_takes_no_copies(true);
    assert!(!run(&table, &objects, &event).await, "the bucket does not copy");
    assert_eq!((objects.keys(), table.writes()), (vec![key.to_owned()], 2));
    objects.set_takes_no_copies(false);
    assert!(run(&table, &objects, &event).await);
    assert_eq!((objects.keys(), table.writes()), (vec!["responses/done/answers/a.json".to_owned()], 2));

    let out_of_time = responses(&table, &objects).await;
    let event = put(key, &objects.put(key, r#"{"results": [{"order": "N-1"}]}"#));
    let failure = out_of_time.handle(event, 0).await.unwrap_err().to_string();
    assert!(failure.contains("time"), "{failure}");
}
