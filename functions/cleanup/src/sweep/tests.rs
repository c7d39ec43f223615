//! Runs in a world in memory: what goes in which order, and what faults leave behind.

use serde_json::json;

use crate::world::{Shared, World, run};

const PAYLOAD: &str = "payloads/orders/acme/1/aa.zst";

/// An exported order with a document and a payload in the bucket.
fn exported(world: &mut World) {
    let places = [("destination", "s3://stack/orders/1.json"), ("payload_key", PAYLOAD)];
    world.row("1", "erp", "exported", &places);
    world.object("orders/1.json", Some("acme:1:erp"));
    world.object(PAYLOAD, None);
}

async fn sweep(world: &Shared, input: &serde_json::Value) -> serde_json::Value {
    let cleanup = world.cleanup().await;
    serde_json::to_value(cleanup.sweep(&run(input, 600)).await).unwrap()
}

#[tokio::test(start_paused = true)]
async fn objects_go_before_their_rows_and_bytes_are_counted() {
    let world = Shared::default();
    world.with(exported);
    let report = sweep(&world, &json!({})).await;
    let expected = json!({
        "dry_run": false, "seen": 1, "changed": { "removed": 1 }, "skipped": {}, "failed": 0, "left": 0,
        "objects": 2, "object_bytes": 200, "row_bytes": 179, "passes_finished": 1,
    });
    assert_eq!(report, expected);
    world.with(|world| {
        assert_eq!(
            world.calls,
            ["object orders/1.json".to_owned(), format!("object {PAYLOAD}"), "row acme#1 erp".into()]
        );
        assert_eq!((world.left(), world.visible()), (Vec::<String>::new(), Vec::new()));
        assert_eq!(world.versions().len(), 4, "what was there can be had back until the lifecycle rule removes it");
    });
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_counts_the_same_and_changes_nothing() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.row("1", "crm", "skipped", &[]);
    });
    let report = sweep(&world, &json!({ "dry_run": true })).await;
    let expected = json!({
        "dry_run": true, "seen": 2, "changed": { "removed": 2 }, "skipped": {}, "failed": 0, "left": 0,
        "objects": 2, "object_bytes": 200, "passes_finished": 1,
    });
    assert_eq!(report, expected);
    world.with(|world| assert_eq!((world.left().len(), world.calls.len()), (2, 0)));
}

#[tokio::test(start_paused = true)]
async fn what_the_bucket_refuses_for_a_while_is_removed_all_the_same() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.refuse.insert(PAYLOAD.into(), (2, "SlowDown"));
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!((&report["changed"]["removed"], &report["failed"]), (&json!(1), &json!(0)), "{report}");
    world.with(|world| assert_eq!((world.left().len(), world.visible().len()), (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_row_stays_as_long_as_one_of_its_objects_does() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.row("2", "erp", "exported", &[]);
        world.refuse.insert(PAYLOAD.into(), (99, "AccessDenied"));
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!((&report["changed"]["removed"], &report["failed"]), (&json!(1), &json!(1)), "{report}");
    world.with(|world| {
        assert_eq!(world.left(), ["acme#1 erp exported"], "the other order is not held up");
        assert_eq!(world.visible(), ["orders/1.json", PAYLOAD], "it may be reset before the next run");
        world.refuse.clear();
    });
    sweep(&world, &json!({})).await;
    world.with(|world| assert_eq!((world.left().len(), world.visible().len()), (0, 0), "the next run ends it"));
}

#[tokio::test(start_paused = true)]
async fn what_the_bucket_does_not_have_any_more_is_no_failure() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.refuse.insert(PAYLOAD.into(), (1, "NoSuchKey"));
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!((&report["changed"]["removed"], &report["failed"]), (&json!(1), &json!(0)), "{report}");
}

#[tokio::test(start_paused = true)]
async fn throttled_removals_are_made_again_and_then_left_to_the_next_run() {
    for (throttled, removed, stays) in [(1, 1, 0), (4, 1, 0), (5, 0, 1)] {
        let world = Shared::default();
        world.with(|world| {
            exported(world);
            world.throttle = throttled;
        });
        let report = sweep(&world, &json!({})).await;
        let counted = report["changed"]["removed"].as_u64().unwrap_or(0);
        assert_eq!((counted, &report["failed"]), (removed, &json!(stays)), "{throttled}: {report}");
        world.with(|world| assert_eq!(world.left().len(), stays, "{throttled}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_was_reset_meanwhile_stays_and_gets_its_objects_back() {
    let world = Shared::default();
    world.with(|world| {
        world.row("1", "erp", "error", &[("payload_key", PAYLOAD), ("destination", "s3://stack/orders/1.json")]);
        world.row("1", "crm", "exported", &[("payload_key", PAYLOAD)]);
        world.object(PAYLOAD, None);
        world.object("payloads/orders/acme/1/unnamed.zst", None);
        world.object("orders/1.json", Some("acme:1:erp"));
        world.meanwhile = Some(|world| world.row("1", "erp", "pending", &[("payload_key", PAYLOAD)]));
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!(report["skipped"], json!({ "changed": 1 }), "{report}");
    assert_eq!((&report["changed"]["removed"], &report["objects"]), (&json!(1), &json!(1)), "{report}");
    world.with(|world| {
        assert_eq!(world.left(), ["acme#1 erp pending"]);
        assert_eq!(world.visible(), ["orders/1.json", PAYLOAD]);
    });
}

#[tokio::test(start_paused = true)]
async fn what_another_run_removed_first_is_not_brought_back() {
    let world = Shared::default();
    world.with(|world| {
        exported(world);
        world.meanwhile = Some(|world| world.rows.clear());
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!((&report["skipped"], &report["failed"]), (&json!({ "gone": 1 }), &json!(0)), "{report}");
    world.with(|world| assert_eq!(world.visible(), Vec::<&str>::new()));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_another_export_has_written_since_stays() {
    let world = Shared::default();
    world.with(|world| {
        world.row("1", "erp", "exported", &[("destination", "s3://stack/latest.json")]);
        world.object("latest.json", Some("acme:1:erp"));
        world.object("latest.json", Some("acme:2:erp"));
    });
    let report = sweep(&world, &json!({})).await;
    assert_eq!(report["changed"]["removed"], json!(1), "{report}");
    world.with(|world| assert_eq!((world.left().len(), world.visible()), (0, vec!["latest.json"])));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_time_begins_nothing_and_says_so() {
    let world = Shared::default();
    world.with(exported);
    let cleanup = world.cleanup().await;
    let report = serde_json::to_value(cleanup.sweep(&run(&json!({}), 0)).await).unwrap();
    assert_eq!((&report["passes_finished"], &report["seen"]), (&json!(0), &json!(0)), "{report}");
    world.with(|world| assert_eq!((world.left().len(), world.calls.len()), (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn where_a_run_stops_the_next_one_goes_on() {
    let world = Shared::default();
    world.with(|world| {
        for order in 10..50 {
            world.row(&order.to_string(), "erp", "exported", &[("destination", &format!("s3://stack/{order}.json"))]);
            world.object(&format!("{order}.json"), Some(&format!("acme:{order}:erp")));
            // Each takes about a second.
            world.refuse.insert(format!("{order}.json"), (2, "SlowDown"));
        }
        world.rows_at_once = Some(1);
    });
    let cleanup = world.cleanup().await;
    let first = serde_json::to_value(cleanup.sweep(&run(&json!({}), 30)).await).unwrap();
    let removed = first["changed"]["removed"].as_u64().unwrap();
    assert!((1..35).contains(&removed) && first["passes_finished"] == json!(0), "{first}");
    let stopped_at = world.with(|world| world.stopped_at()).unwrap();
    world.with(|world| {
        let left = world.left();
        assert!(left.iter().all(|row| !row.starts_with("acme") || **row > *stopped_at), "{stopped_at}: {left:?}");
        world.refuse.clear();
        // What has come of age behind the place waits for the next pass.
        world.row("00", "erp", "exported", &[]);
    });
    let second = sweep(&world, &json!({})).await;
    assert_eq!((&second["failed"], &second["passes_finished"]), (&json!(0), &json!(1)), "{second}");
    world.with(|world| assert!(world.stopped_at().is_none() && world.left()[0] == "acme#00 erp exported"));
    let third = sweep(&world, &json!({})).await;
    world.with(|world| assert_eq!(world.left(), Vec::<String>::new(), "it begins anew: {third}"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_of_the_whole_table_and_leaves_the_place() {
    let world = Shared::default();
    world.with(|world| {
        for order in ["1", "2", "3"] {
            world.row(order, "erp", "exported", &[]);
        }
        world.row("3", "crm", "exported", &[]);
        world.rows_at_once = Some(1);
        world.stop_at("acme#2", "erp");
    });
    let report = sweep(&world, &json!({ "dry_run": true })).await;
    assert_eq!((&report["changed"], &report["passes_finished"]), (&json!({ "removed": 4 }), &json!(1)), "{report}");
    world.with(|world| assert_eq!(world.stopped_at().as_deref(), Some("acme#2")));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_comes_for_any_more_is_an_error_and_without_its_order_counts_as_never_tried() {
    let world = Shared::default();
    let far = "2999-01-01T00:00:00.000Z";
    world.with(|world| {
        world.row("1", "erp", "pending", &[("payload_key", PAYLOAD)]);
        world.row("1", "crm", "processing", &[("lease_until", "2020-01-01T00:00:30.000Z")]);
        world.row("1", "held", "processing", &[("lease_until", far)]);
        world.row("1", "due", "pending", &[("due_key", "due#1"), ("due_at", far)]);
        world.row("1", "young", "pending", &[("updated_at", far)]);
        world.row("2", "erp", "pending", &[("canceled_at", "2020-01-01T00:00:00.000Z")]);
        world.object(PAYLOAD, None);
    });
    let dry = sweep(&world, &json!({ "dry_run": true })).await;
    let report = sweep(&world, &json!({})).await;
    assert_eq!((&report["changed"], &report["seen"]), (&json!({ "lost": 3 }), &json!(3)), "{report}");
    assert_eq!(dry["changed"], report["changed"], "{dry}");
    world.with(|world| {
        world.calls.sort();
        assert_eq!(world.calls, ["update acme#1 crm", "update acme#1 erp", "update acme#2 erp"]);
        assert_eq!(
            world.left(),
            [
                "acme#1 crm error",
                "acme#1 due pending",
                "acme#1 erp error",
                "acme#1 held processing",
                "acme#1 young pending",
                "acme#2 erp canceled"
            ]
        );
        let row = |pipeline: &str| &world.rows[&("acme#1".to_owned(), pipeline.to_owned())];
        let fault = |pipeline: &str| row(pipeline)["fault"].as_s().unwrap().clone();
        assert_eq!((fault("erp"), fault("crm")), ("orphaned".into(), "permanent".into()), "one can be reset");
        assert_eq!(row("crm")["attempts"].as_n().unwrap(), "0", "the next webhook of the order takes its place");
        assert!(!row("erp").contains_key("attempts"));
    });
}
