//! The function with a table and a bucket in memory, and the configuration of the end-to-end tests.

mod files;
mod objects;
mod requests;
pub(crate) mod table;

use std::path::Path;

use ordersync::config::{Live, Source};
use ordersync::secrets::{Secret, Secrets};
use serde_json::Value;

use self::objects::Objects;
use self::table::Table;
use crate::handler::Responses;

/// The secret of those who call back.
const SECRET: &str = "a-secret-of-the-tests";

async fn responses(table: &Table, objects: &Objects) -> Responses {
    let s3 = objects.client();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config");
    let config = Live::start(Source::Directory(directory), 10).await.unwrap();
    let sample = sample("secrets.json");
    let samples = sample.as_object().unwrap().iter();
    let samples = samples.map(|(name, value)| (name.clone(), Secret::new(value.as_str().unwrap())));
    let own =
        [("it-callback".to_owned(), Secret::new("a-secret-before")), ("it-callback-too".into(), Secret::new(SECRET))];
    Responses { config, ledger: table.ledger(), secrets: Secrets::fixed(samples.chain(own)), s3 }
}

/// The end of an invocation that has time enough.
fn in_a_minute() -> u64 {
    u64::try_from(ordersync::clock::now().as_millisecond()).unwrap() + 60_000
}

/// A sample event, or what belongs to them.
fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
