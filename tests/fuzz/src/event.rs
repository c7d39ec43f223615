//! The events that run the functions, read by what the functions read them with.

use aws_lambda_events::sqs::SqsEvent;
use ordersync::schedule::Run;
use serde_json::Value;

use crate::functions::responses::key::{self, Outcome, Place};
use crate::samples::{assert_one_line, file};

/// One event, as every function would take it.
pub fn run(input: &[u8]) {
    intake(input);
    processor(input);
    let Ok(event) = serde_json::from_slice::<Value>(input) else { return };
    responses(&event);
    scheduled(&event);
}

fn intake(input: &[u8]) {
    let Ok(mut request) = serde_json::from_slice::<crate::functions::intake::request::Request>(input) else { return };
    let (id, shop) = (request.id(), request.shop_code().to_owned());
    request.query("topic");
    let headers = request.take_headers();
    for (name, value) in headers.iter() {
        assert!(value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')), "{name}: {value:?}");
    }
    if let Err(answer) = request.take_body() {
        let response = answer.into_response(&id);
        assert!((400..500).contains(&response.status_code));
        serde_json::from_str::<Value>(&response.body).expect("an answer is JSON");
    }
    assert_one_line("the shop's code", &shop);
}

fn processor(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<SqsEvent>(input) else { return };
    for record in &event.records {
        let message = crate::functions::processor::batch::message(record);
        crate::message::run(&message.body.into_bytes());
    }
}

fn responses(event: &Value) {
    use crate::functions::responses::event::Event;
    let Ok(Event::Objects(event)) = Event::of(event.clone()) else { return };
    for record in &event.records {
        let object = &record.s3.object;
        let Some(key) = object.key.as_deref().and_then(key::decoded) else { continue };
        if let Place::File(_) = key::place(&key, object.size) {
            for outcome in [Outcome::Done, Outcome::Failed] {
                let target = key::target(&key, outcome);
                assert_eq!(key::place(&target, Some(1)), Place::Passed, "a file that was set aside is read again");
                assert!(key::reason(&target).len() <= 1024);
                assert!(key::copy_source("bucket", &key, Some("v")).is_ascii());
            }
        }
    }
}

fn scheduled(event: &Value) {
    match Run::of(event, 0) {
        Ok(run) => {
            if let Err(bad) = run.only(&["erase"]) {
                return assert_one_line("what was expected", &bad.to_string());
            }
            let Some(erase) = run.input.get("erase") else { return };
            match crate::functions::cleanup::request::Request::read(erase) {
                Ok(request) => assert_eq!(request.digest("1").len(), 64),
                Err(bad) => assert_one_line("what was expected", &bad.to_string()),
            }
        }
        Err(bad) => assert_one_line("what was expected", &bad.to_string()),
    }
}

/// The sample events of all functions.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "cancel-stale-dry-run",
        "cancel-stale-scheduler",
        "cleanup-erase-customer",
        "cleanup-erase-order",
        "cleanup",
        "intake-generic",
        "intake-shopify",
        "processor",
        "reset-errors-due",
        "reset-errors",
        "responses-http",
        "responses-s3",
    ]
    .map(|name| file(&format!("events/{name}.json")))
    .into()
}
