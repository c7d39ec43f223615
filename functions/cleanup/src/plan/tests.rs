use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ordersync::config;
use ordersync::ledger::{ExportKey, Status};
use ordersync::queue::Fields;

use proptest::prelude::*;

use super::*;

const OLD: &str = "2020-01-01T00:00:00Z";
const NEW: &str = "2026-07-31T00:00:00Z";

/// A row that came to its status in 2020, with nothing else known.
pub(crate) fn row(order_id: &str, pipeline: &str, status: Status) -> Row {
    let at = OLD.parse().unwrap();
    Row {
        key: ExportKey::new("acme-eu", order_id, pipeline),
        number: "100001234".into(),
        status,
        updated_at: at,
        created_at: at,
        placed_at: None,
        attempts: 1,
        lease_owner: None,
        lease_until: None,
        not_before: None,
        history: Vec::new(),
        last_error: None,
        external_id: None,
        destination: None,
        pack: None,
        exported_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        observed: None,
        canceled_at: None,
        reopened_at: None,
        fault: None,
        resets: 0,
        due: None,
        waits_for: None,
        requeued_at: None,
        cancellation: None,
        customer: None,
        set_aside_at: None,
        erased_at: None,
        is_unpaid: false,
        payload: None,
        envelope: Fields::new(),
        webhook: None,
        inbound: None,
    }
}

fn stored(pipeline: &str, updated_at: &str, payload: &str) -> Row {
    let payload = Some(Payload::Stored(payload.to_owned()));
    Row { payload, updated_at: updated_at.parse().unwrap(), ..row("1", pipeline, Status::Exported) }
}

fn objects(keys: &[&str]) -> Vec<Object> {
    keys.iter().map(|key| Object { key: (*key).to_owned(), bytes: 1 }).collect()
}

fn settings() -> config::Cleanup {
    config::Cleanup { retention: BTreeMap::new(), keep_documents: BTreeSet::from(["archive".to_owned()]) }
}

fn plan(rows: Vec<Row>) -> Plan {
    let settings = settings();
    let policy = Policy { settings: &settings, default: Duration::from_hours(24 * 365) };
    Plan::of(rows, policy, "2026-08-01T00:00:00Z".parse().unwrap())
}

#[test]
fn a_payload_goes_with_the_last_export_that_needs_it() {
    let listed = || objects(&["p/a", "p/b", "p/unnamed"]);
    for (rows, asks, due, expected) in [
        (vec![], false, 0, vec![]),
        // All go: also what no row names.
        (vec![stored("erp", OLD, "p/a")], true, 1, vec!["p/a", "p/b", "p/unnamed"]),
        (vec![stored("erp", OLD, "p/a"), stored("crm", OLD, "p/a")], true, 2, vec!["p/a", "p/b", "p/unnamed"]),
        (vec![row("1", "erp", Status::Skipped)], true, 1, vec!["p/a", "p/b", "p/unnamed"]),
        // One stays and needs the same.
        (vec![stored("erp", OLD, "p/a"), stored("crm", NEW, "p/a")], false, 1, vec![]),
        // One stays and needs another.
        (vec![stored("erp", OLD, "p/a"), stored("crm", NEW, "p/b")], true, 1, vec!["p/a"]),
        // One stays that has its own in the row.
        (vec![stored("erp", OLD, "p/a"), row("1", "crm", Status::Error)], true, 1, vec!["p/a"]),
        // None goes.
        (vec![stored("erp", NEW, "p/a")], false, 0, vec![]),
    ] {
        let plan = plan(rows.clone());
        assert_eq!((plan.due.len(), plan.may_remove_payloads()), (due, asks), "{rows:?}");
        if asks {
            assert_eq!(plan.payloads(listed()), objects(&expected), "{rows:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_payload_goes_that_a_staying_export_needs_and_none_stays_that_nobody_needs(
        exports in proptest::collection::vec((any::<bool>(), proptest::option::of(0usize..4)), 0..6),
    ) {
        let keys = ["p/a", "p/b", "p/c", "p/d"];
        let rows: Vec<Row> = exports.iter().enumerate().map(|(index, (is_old, payload))| {
            let place = payload.map(|key| Payload::Stored(keys[key].to_owned()));
            let at = if *is_old { OLD } else { NEW };
            let base = row("1", &format!("p{index}"), Status::Exported);
            Row { payload: place, updated_at: at.parse().unwrap(), ..base }
        }).collect();
        let plan = plan(rows);
        let gone = if plan.may_remove_payloads() { plan.payloads(objects(&keys)) } else { Vec::new() };
        for (index, key) in keys.iter().enumerate() {
            let needs = |is_old: bool| exports.contains(&(is_old, Some(index)));
            let goes = gone.iter().any(|object| object.key == *key);
            prop_assert!(!(goes && needs(false)), "{key} is needed");
            prop_assert!(goes || needs(false) || !needs(true), "{key} is not needed any more");
        }
    }
}

#[test]
fn only_objects_of_the_stacks_own_bucket_are_ours() {
    for (destination, expected) in [
        (Some("s3://stack/orders/1001.json"), Some("orders/1001.json")),
        (Some("s3://stack/1001.json"), Some("1001.json")),
        (Some("s3://stack/orders/J\u{f6}rg 1001%2F.json"), Some("orders/J\u{f6}rg 1001%2F.json")),
        (Some("s3://stack/"), None),
        (Some("s3://stack"), None),
        (Some("s3://stack-2/orders/1001.json"), None),
        (Some("s3://other/stack/1001.json"), None),
        (Some("s3:///orders/1001.json"), None),
        (Some("S3://stack/orders/1001.json"), None),
        (Some("https://stack/orders/1001.json"), None),
        (Some(""), None),
        (None, None),
    ] {
        let row = Row { destination: destination.map(Into::into), ..row("1", "erp", Status::Exported) };
        assert_eq!(own_document(&row, "stack"), expected, "{destination:?}");
    }
}

#[test]
fn documents_go_with_their_exports_unless_they_are_to_stay() {
    let exported = |pipeline: &str, at: &str| Row {
        destination: Some(format!("s3://stack/{pipeline}.json")),
        updated_at: at.parse().unwrap(),
        ..row("1", pipeline, Status::Exported)
    };
    let packed = Row { destination: Some("s3://stack/packs/1.jsonl".into()), ..exported("lake", OLD) };
    let plan = plan(vec![exported("erp", OLD), exported("archive", OLD), exported("crm", NEW), packed]);
    let settings = settings();
    let policy = Policy { settings: &settings, default: Duration::from_hours(24) };
    let documents: Vec<_> = plan.documents("stack", policy).into_iter().map(|(_, key)| key).collect();
    assert_eq!((plan.due.len(), documents), (3, vec!["erp.json"]), "a pack has other orders in it");
}
