//! Erasures in a world in memory: what is left, what is kept back, and what is said of it.

use serde_json::{Value, json};

use super::*;
use crate::plan::tests::row;
use crate::world::{Shared, World, run};

mod packs;

const PAYLOAD: &str = "payloads/orders/acme/1/aa.zst";
const INBOUND: &str = "payloads/inbound/acme/2026/08/01/r-1";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An exported order with all that can belong to it.
fn exported(world: &mut World) {
    let places = [("destination", "s3://stack/orders/1.json"), ("payload_key", PAYLOAD), ("customer_key", CUSTOMER)];
    world.row("1", "erp", "exported", &places);
    world.came_by("1", "erp", INBOUND);
    for key in [PAYLOAD, INBOUND] {
        world.object(key, None);
        world.object(key, None);
    }
    world.object("payloads/orders/acme/1/unnamed.zst", None);
    world.object("orders/1.json", Some("acme:1:erp"));
    world.object("orders/1.json", Some("acme:1:erp"));
    world.object("orders/10.json", Some("acme:10:erp"));
    world.object("payloads/orders/acme/10/aa.zst", None);
}

/// Of erika@example.com.
const CUSTOMER: &str = "7f7fa396e3e11fc18b40ea152c01b244";

async fn erase(world: &Shared, input: Value) -> Value {
    let cleanup = world.cleanup().await;
    serde_json::to_value(cleanup.handle(&run(&input, 600)).await.unwrap()).unwrap()
}

fn order() -> Value {
    json!({ "erase": { "shop": "acme", "order": "1" } })
}

/// What is left of an erased order: its own exports, and those that every pipeline for all shops could make.
fn only_erased(world: &World, order_id: &str) -> bool {
    let of = |row: &&String| row.starts_with(&format!("acme#{order_id} "));
    let left = world.left();
    left.iter().filter(of).count() >= 2 && left.iter().filter(of).all(|row| row.ends_with(" canceled"))
}

#[test]
fn only_what_somebody_is_trying_is_busy() {
    let now = at("2026-08-01T12:00:00Z");
    let rows = [
        (Status::Pending, None, None, "open"),
        (Status::Processing, Some("2026-08-01T12:00:01Z"), None, "busy"),
        (Status::Processing, Some("2026-08-01T12:00:00Z"), None, "open"),
        (Status::Processing, None, None, "open"),
        (Status::Exported, Some("2026-08-01T12:00:01Z"), None, "open"),
        (Status::Error, None, None, "open"),
        (Status::Skipped, None, None, "open"),
        (Status::Canceled, None, None, "open"),
        (Status::Canceled, None, Some("2026-07-01T12:00:00Z"), "erased"),
    ];
    for (status, lease_until, erased_at, expected) in rows {
        let row = Row { lease_until: lease_until.map(at), erased_at: erased_at.map(at), ..row("1", "erp", status) };
        let exports = Exports::of(vec![row], now);
        let found = [("open", &exports.open), ("busy", &exports.busy), ("erased", &exports.erased)];
        let found: Vec<_> = found.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(name, _)| name).collect();
        assert_eq!(found, [expected], "{status}, lease {lease_until:?}, erased {erased_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_erased_order_no_version_of_anything_is_left() {
    let world = Shared::default();
    world.with(exported);
    let answer = erase(&world, order()).await;
    let receipt = &answer["receipt"];
    assert_eq!((&receipt["complete"], &receipt["rows"], &receipt["objects"]), (&json!(true), &json!(1), &json!(7)));
    assert_eq!(answer.get("next"), None, "{answer}");
    let key = answer["receipt_key"].as_str().unwrap();
    world.with(|world| {
        assert_eq!(world.visible(), ["orders/10.json", "payloads/orders/acme/10/aa.zst", key]);
        assert_eq!(world.versions().len(), 3, "{:?}", world.versions());
        assert!(only_erased(world, "1"), "{:?}", world.left());
        let written = world.calls.iter().position(|call| call == "put acme#1 erp").unwrap();
        let removed = world.calls.iter().rposition(|call| call.starts_with("object")).unwrap();
        assert!(removed < written, "objects first: {:?}", world.calls);
    });
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_found_in_every_shop_or_in_one() {
    for (input, expected) in [
        (json!({ "email": " Erika@Example.com" }), ["acme#1", "acme-two#1"].as_slice()),
        (json!({ "email": "erika@example.com", "shop": "acme" }), ["acme#1"].as_slice()),
        (json!({ "email": "someone@example.com" }), [].as_slice()),
        (json!({ "shop": "acme", "number": "N-1" }), ["acme#1"].as_slice()),
        (json!({ "shop": "acme", "number": "N-9" }), [].as_slice()),
    ] {
        let world = Shared::default();
        world.with(|world| {
            world.row("1", "crm", "error", &[]);
            world.row("1", "erp", "exported", &[("customer_key", CUSTOMER), ("pk", "acme-two#1")]);
            world.row("1", "erp", "exported", &[("customer_key", CUSTOMER)]);
            world.row("2", "erp", "exported", &[("customer_key", "of somebody else")]);
        });
        let answer = erase(&world, json!({ "erase": input })).await;
        let erased = world.with(|world| {
            let written = world.calls.iter().filter_map(|call| call.strip_prefix("put ")?.strip_suffix(" erp"));
            written.map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(erased, expected, "{input}: {answer}");
        assert_eq!(answer["receipt"]["orders"], json!(expected.len()), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_being_tried_keeps_what_it_needs_and_the_answer_says_so() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.row("1", "crm", "processing", &[("lease_until", "2999-01-01T00:00:00Z"), ("payload_key", PAYLOAD)]);
        world.came_by("1", "crm", INBOUND);
    });
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["busy"], &answer["receipt"]["complete"]), (&json!(1), &json!(false)), "{answer}");
    assert!(answer["next"].as_str().unwrap().contains("run it again"), "{answer}");
    world.with(|world| {
        let rows = world.left();
        assert!(
            rows.contains(&"acme#1 crm processing".into()) && rows.contains(&"acme#1 erp canceled".into()),
            "{rows:?}"
        );
        assert!(world.visible().contains(&PAYLOAD) && world.visible().contains(&INBOUND), "{:?}", world.visible());
        assert!(!world.visible().contains(&"orders/1.json"));
        world.row("1", "crm", "pending", &[("payload_key", PAYLOAD)]);
        world.came_by("1", "crm", INBOUND);
    });
    let answer = erase(&world, order()).await;
    assert_eq!(answer["receipt"]["complete"], json!(true), "{answer}");
    world.with(|world| assert!(only_erased(world, "1") && !world.visible().contains(&PAYLOAD), "{:?}", world.left()));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_is_taken_meanwhile_is_busy() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.meanwhile = Some(|world| world.row("1", "erp", "processing", &[("lease_until", "2999-01-01T00:00:00Z")]));
    });
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["busy"], &answer["receipt"]["complete"]), (&json!(1), &json!(false)), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_export_that_is_begun_meanwhile_is_busy() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.meanwhile = Some(|world| world.row("1", "crm", "exported", &[("customer_key", CUSTOMER)]));
    });
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["busy"], &answer["receipt"]["complete"]), (&json!(1), &json!(false)), "{answer}");
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["rows"], &answer["receipt"]["complete"]), (&json!(1), &json!(true)), "{answer}");
    world.with(|world| assert!(only_erased(world, "1"), "{:?}", world.left()));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_refused_leaves_the_row_by_which_it_is_found_again() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.refuse.insert("orders/1.json".into(), (99, "AccessDenied"));
    });
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["failed"], &answer["failed"]), (&json!(1), &json!(1)), "{answer}");
    world.with(|world| {
        assert_eq!(world.left(), ["acme#1 erp exported"]);
        world.refuse.clear();
    });
    let answer = erase(&world, json!({ "erase": { "email": "erika@example.com" } })).await;
    assert_eq!((&answer["receipt"]["complete"], &answer["receipt"]["rows"]), (&json!(true), &json!(1)), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn versions_that_other_exports_wrote_under_the_same_key_stay() {
    let world = Shared::default();
    world.with(|world| {
        world.row("1", "erp", "exported", &[("destination", "s3://stack/latest.json")]);
        world.object("latest.json", Some("acme:2:erp"));
        world.object("latest.json", Some("acme:1:erp"));
        world.object("latest.json", Some("acme:1:erp"));
    });
    let answer = erase(&world, order()).await;
    assert_eq!(answer["receipt"]["objects"], json!(2), "{answer}");
    world.with(|world| assert_eq!(world.versions()[0], "latest.json v1"));
}

#[tokio::test(start_paused = true)]
async fn an_order_without_rows_is_erased_from_the_bucket_and_may_still_come() {
    let world = Shared::default();
    world.with(|world| world.object(PAYLOAD, None));
    let answer = erase(&world, order()).await;
    assert_eq!((&answer["receipt"]["objects"], &answer["receipt"]["rows"]), (&json!(1), &json!(0)), "{answer}");
    world.with(|world| assert_eq!(world.left(), Vec::<String>::new()));
}

#[tokio::test(start_paused = true)]
async fn to_erase_again_changes_nothing_more() {
    let world = Shared::default();
    world.with(exported);
    erase(&world, order()).await;
    let calls = world.with(|world| world.calls.len());
    let answer = erase(&world, order()).await;
    let receipt = &answer["receipt"];
    assert_eq!((&receipt["rows"], &receipt["objects"], &receipt["complete"]), (&json!(0), &json!(0), &json!(true)));
    assert!(receipt["erased_before"].as_u64() > Some(1), "{answer}");
    world.with(|world| assert_eq!(world.calls.len(), calls + 1, "only the receipt"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_only_counts() {
    let world = Shared::default();
    world.with(exported);
    let mut input = order();
    input["dry_run"] = json!(true);
    let answer = erase(&world, input).await;
    let expected = json!({
        "dry_run": true, "seen": 1, "changed": { "erased": 1 }, "skipped": {}, "failed": 0, "left": 0, "orders": 1,
        "objects": 7,
    });
    assert_eq!(answer, expected);
    world.with(|world| assert_eq!(world.calls, Vec::<String>::new()));
}

#[tokio::test(start_paused = true)]
async fn what_time_does_not_allow_is_left_for_another_run() {
    let world = Shared::default();
    world.with(exported);
    let cleanup = world.cleanup().await;
    let answer = serde_json::to_value(cleanup.handle(&run(&order(), 0)).await.unwrap()).unwrap();
    assert_eq!((&answer["left"], &answer["receipt"]["complete"]), (&json!(1), &json!(false)), "{answer}");
    world.with(|world| assert_eq!(world.left(), ["acme#1 erp exported"]));
}

#[tokio::test(start_paused = true)]
async fn bad_input_erases_nothing_and_begins_no_cleanup() {
    for input in [
        json!({ "erase": null }),
        json!({ "erase": {} }),
        json!({ "erase": { "email": "erika@example.com", "order": "1" } }),
        json!({ "erase": { "shop": "acme", "order": "1" }, "dryrun": true }),
        json!({ "Erase": { "shop": "acme", "order": "1" } }),
    ] {
        let world = Shared::default();
        world.with(exported);
        let refusal = world.cleanup().await.handle(&run(&input, 600)).await.unwrap_err().to_string();
        assert!(refusal.starts_with("input") && !refusal.contains("erika"), "{refusal}");
        world.with(|world| assert_eq!(world.calls, Vec::<String>::new(), "{input}"));
    }
}
