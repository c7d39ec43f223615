//! What an operator can see and do.

mod actions;
mod at_shop;
mod lists;
mod templates;
mod views;

use std::path::Path;
use std::time::Duration;

use ordersync::aws;
use ordersync::config::{Config, Location, load_directory};
use ordersync::ledger::Status;
use ordersync::queue::Requeue;
use ordersync_admin::{Action, Actor, Admin, AdminError, Done, ExportRow, Key, Processor};

use crate::support::receiver::{Receiver, Reply};
use crate::support::stack::{Stack, variable};

const SHOP: &str = "it-admin";
const PORT: u16 = 19586;

/// What an operator of the stack under test works with.
fn admin(stack: &Stack) -> Admin {
    let sdk = aws::sdk_config().unwrap();
    let processor = Processor::new(sdk.config(), variable("FN_PROCESSOR"), Duration::from_secs(30));
    Admin {
        ledger: stack.ledger.clone(),
        payloads: stack.payloads.clone(),
        requeue: Requeue { sqs: stack.sqs.clone(), queue_url: stack.queue_url.clone() },
        dead_letters: Some(stack.dlq_url.clone()),
        processor: Some(processor),
        source: Some(Location::Directory(directory().to_owned()).open(&sdk)),
        max_receive_count: 3,
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"))
}

fn config() -> Config {
    load_directory(directory(), 3).unwrap()
}

fn ada() -> Actor {
    Actor("ada".into())
}

fn erp(order: &str) -> Key {
    Key { shop: SHOP.into(), order: order.into(), pipeline: "admin-erp".into() }
}

fn archive(order: &str) -> Key {
    Key { pipeline: "admin-archive".into(), ..erp(order) }
}

/// A back office that refuses what has "-bad" in its key, as long as the test does not have it repaired.
fn back_office(is_repaired: impl Fn() -> bool + Send + Sync + 'static) -> Receiver {
    Receiver::start(PORT, move |_, request| {
        if request.key().contains("-bad") && !is_repaired() {
            return Reply::Whole("422 No", Vec::new(), r#"{"error":"no such sku","email":"it@example.com"}"#.into());
        }
        let order = request.key().split(':').nth(1).unwrap_or_default().to_owned();
        Reply::ok(format!(r#"{{"id":"SO-{order}"}}"#))
    })
}

async fn done(admin: &Admin, action: Action, key: &Key) -> Done {
    admin.act(&ada(), action, key).await.unwrap_or_else(|error| panic!("{action} {key:?}: {error:?}"))
}

async fn refused(admin: &Admin, action: Action, key: &Key) -> AdminError {
    admin.act(&ada(), action, key).await.expect_err("its state does not allow it")
}

fn status(done: &Done) -> Option<Status> {
    done.export.as_ref().map(|export| export.status)
}

fn orders(rows: &[ExportRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.order.as_str()).collect()
}
