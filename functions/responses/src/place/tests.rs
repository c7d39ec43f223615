//! Results and the exports that they meet.

use ordersync::pipeline::result::{About, BadResult, By, Said, Word};
use serde_json::{Value, json};

use super::*;
use crate::tests::table::{Table, export};

const SHORT: [Duration; 3] = [Duration::from_millis(1); 3];

fn about(order: &str) -> About {
    About { order: order.into(), shop: None }
}

fn taken(order: &str) -> Said {
    Said { about: about(order), external_id: Some(format!("E-{order}")), word: Word::Taken }
}

fn refused(order: &str, why: &str) -> Said {
    Said { about: about(order), external_id: None, word: Word::Refused(Some(why.into())) }
}

fn of(shop: &str, said: Said) -> Said {
    Said { about: About { shop: Some(shop.into()), ..said.about }, ..said }
}

async fn place_by(by: By, table: &Table, said: Vec<Said>) -> Result<Value, Stopped> {
    let ledger = table.ledger();
    let placer = Placer { ledger: &ledger, pipeline: "erp", by, shops: vec!["acme-eu", "acme-uk"], waits: &SHORT };
    let deadline = Instant::now() + Duration::from_mins(1);
    placer.place(said.into_iter().map(Ok).collect(), deadline).await.map(|tally| Value::Object(tally.members()))
}

async fn place(table: &Table, said: Vec<Said>) -> Value {
    place_by(By::Number, table, said).await.unwrap()
}

fn whole(acknowledged: u64, refused: u64) -> Value {
    json!({ "acknowledged": acknowledged, "refused": refused, "failed": [] })
}

fn failed(order: &str, reason: &str) -> Value {
    json!({ "acknowledged": 0, "refused": 0, "failed": [{ "index": 0, "order": order, "reason": reason }] })
}

#[tokio::test]
async fn a_result_is_recorded_with_the_export_of_its_order_and_pipeline() {
    let table = Table::of(&[
        "acme-eu 1 N-1 erp exported",
        "acme-eu 1 N-1 archive exported",
        "acme-eu 2 N-2 erp exported",
        "acme-eu 3 N-3 erp acknowledged",
    ]);
    let said = vec![taken("N-1"), refused("N-2", "no such customer"), refused("N-3", "on second thought")];
    assert_eq!(place(&table, said).await, whole(1, 2));
    assert_eq!(table.row("acme-eu", "1", "erp"), "acknowledged E-N-1 -");
    assert_eq!(table.row("acme-eu", "1", "archive"), "exported - -");
    assert_eq!(table.row("acme-eu", "2", "erp"), "error - the back office refused it: no such customer");
    assert_eq!(table.row("acme-eu", "3", "erp"), "error - the back office refused it: on second thought");
}

#[tokio::test]
async fn a_repeated_result_counts_and_changes_nothing() {
    let table = Table::of(&["acme-eu 1 N-1 erp exported", "acme-eu 2 N-2 erp exported", "acme-eu 3 N-3 erp exported"]);
    let silent = Said { about: about("N-3"), external_id: None, word: Word::Refused(None) };
    let said = || vec![taken("N-1"), refused("N-2", "full"), silent.clone()];
    for _ in 0..3 {
        assert_eq!(place(&table, said()).await, whole(1, 2));
        assert_eq!(table.writes(), 3);
    }
    let without_id = Said { external_id: None, ..taken("N-1") };
    assert_eq!(place(&table, vec![without_id]).await, whole(1, 0));
    assert_eq!((table.writes(), table.row("acme-eu", "1", "erp").as_str()), (3, "acknowledged E-N-1 -"));
    let other_id = Said { external_id: Some("E-9".into()), ..taken("N-1") };
    place(&table, vec![other_id]).await;
    assert_eq!(table.row("acme-eu", "1", "erp"), "acknowledged E-9 -");
}

#[tokio::test]
async fn of_results_about_one_order_the_last_counts() {
    let rows: Vec<String> = (0..40).map(|n| format!("acme-eu {n} N-{n} erp exported")).collect();
    let table = Table::of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let first = (0..40).map(|n| refused(&format!("N-{n}"), "wait"));
    let said: Vec<_> = first.chain((0..40).map(|n| taken(&format!("N-{n}")))).collect();
    assert_eq!(place(&table, said).await, whole(40, 40));
    for n in 0..40 {
        assert_eq!(table.row("acme-eu", &n.to_string(), "erp"), format!("acknowledged E-N-{n} -"));
    }
}

#[tokio::test]
async fn the_last_counts_whether_or_not_they_name_the_shop() {
    let rows: Vec<String> = (0..40).map(|n| format!("acme-eu {n} N-{n} erp exported")).collect();
    let table = Table::of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let said = (0..40).flat_map(|n| [of("acme-eu", refused(&format!("N-{n}"), "wait")), taken(&format!("N-{n}"))]);
    assert_eq!(place(&table, said.collect()).await, whole(40, 40));
    for n in 0..40 {
        assert_eq!(table.row("acme-eu", &n.to_string(), "erp"), format!("acknowledged E-N-{n} -"));
    }
}

#[tokio::test]
async fn what_is_said_after_the_deadline_counts_still() {
    let table = Table::of(&["acme-eu 1 N-1 erp error unacknowledged", "acme-eu 2 N-2 erp error rejected"]);
    assert_eq!(place(&table, vec![taken("N-1"), taken("N-2")]).await, whole(2, 0));
    assert_eq!(table.row("acme-eu", "1", "erp"), "acknowledged E-N-1 -");
    assert_eq!(table.row("acme-eu", "2", "erp"), "acknowledged E-N-2 -");
}

#[tokio::test]
async fn the_answer_to_an_attempt_that_failed_may_have_been_lost() {
    for row in ["error exhausted 10", "error permanent 1"] {
        let table = Table::of(&[&format!("acme-eu 1 N-1 erp {row}"), &format!("acme-eu 2 N-2 erp {row}")]);
        assert_eq!(place(&table, vec![taken("N-1"), refused("N-2", "no")]).await, whole(1, 1), "{row}");
        assert_eq!(table.row("acme-eu", "1", "erp"), "acknowledged E-N-1 -");
        assert_eq!(table.row("acme-eu", "2", "erp"), "error - the back office refused it: no");
    }
}

#[tokio::test]
async fn an_export_that_is_still_being_tried_is_waited_for() {
    let table = Table::of(&["acme-eu 1 N-1 erp processing", "acme-eu 2 N-2 erp exported"])
        .ripening("acme-eu", "1", "erp", 1)
        .lagging(1);
    assert_eq!(place(&table, vec![refused("N-1", "wait"), taken("N-1"), taken("N-2")]).await, whole(2, 1));
    assert_eq!(table.row("acme-eu", "1", "erp"), "acknowledged E-N-1 -");
    for status in ["processing", "pending"] {
        let table = Table::of(&[&format!("acme-eu 1 N-1 erp {status}"), "acme-eu 2 N-2 erp exported"]);
        let ledger = table.ledger();
        let placer = Placer { ledger: &ledger, pipeline: "erp", by: By::Number, shops: Vec::new(), waits: &SHORT };
        let said = vec![Ok(taken("N-1")), Ok(refused("N-1", "late")), Ok(taken("N-2"))];
        let tally = placer.place(said, Instant::now() + Duration::from_mins(1)).await.unwrap();
        let reason = "its export is still being tried";
        let expected = json!({
            "acknowledged": 1,
            "refused": 0,
            "failed": [
                { "index": 0, "order": "N-1", "reason": reason },
                { "index": 1, "order": "N-1", "reason": reason },
            ],
        });
        assert_eq!((Value::Object(tally.members()), tally.has_early()), (expected, true), "{status}");
    }
}

#[tokio::test]
async fn what_was_not_given_can_be_neither_acknowledged_nor_refused() {
    for (row, reason) in [
        ("skipped", "this pipeline has skipped the order"),
        ("canceled", "the order was canceled before it was exported"),
        ("error permanent", "its export is in error, and no attempt was made to deliver it"),
        ("error orphaned 0", "its export is in error, and no attempt was made to deliver it"),
    ] {
        let table = Table::of(&[&format!("acme-eu 1 N-1 erp {row}")]);
        assert_eq!(place(&table, vec![taken("N-1")]).await, failed("N-1", reason), "{row}");
        assert_eq!(place(&table, vec![refused("N-1", "no")]).await, failed("N-1", reason), "{row}");
        assert_eq!(table.writes(), 0);
    }
}

#[tokio::test]
async fn an_order_that_is_not_known_is_asked_for_a_few_times() {
    let table = Table::of(&["acme-eu 1 N-1 archive exported"]);
    let unknown = "this pipeline has no export of this order";
    assert_eq!(place(&table, vec![taken("N-1")]).await, failed("N-1", unknown));
    assert_eq!(table.reads(), 3 * (1 + 2), "not in every round, and each time in the index and in two shops");
    for (by, order) in [(By::Id, "9"), (By::IdempotencyKey, "acme-eu:9:erp")] {
        assert_eq!(place_by(by, &table, vec![taken(order)]).await.unwrap(), failed(order, unknown));
    }
}

#[tokio::test]
async fn a_number_of_several_shops_needs_the_shop() {
    let rows = ["acme-eu 1 N-1 erp exported", "acme-uk 7 N-1 erp exported", "acme-uk 7 N-1 archive exported"];
    let table = Table::of(&rows);
    let ambiguous = "several orders are called so: expected the shop as well";
    assert_eq!(place(&table, vec![taken("N-1")]).await, failed("N-1", ambiguous));
    assert_eq!(table.writes(), 0);
    assert_eq!(place(&table, vec![of("acme-uk", taken("N-1"))]).await, whole(1, 0));
    assert_eq!(table.row("acme-uk", "7", "erp"), "acknowledged E-N-1 -");
    assert_eq!(table.row("acme-eu", "1", "erp"), "exported - -");
    let unknown = "this pipeline has no export of this order";
    assert_eq!(place(&table, vec![of("acme-us", taken("N-1"))]).await, failed("N-1", unknown));
    // Which of them was skipped, the back office has never heard of.
    let table = Table::of(&["acme-eu 1 N-1 erp skipped", "acme-uk 7 N-1 erp exported"]);
    assert_eq!(place(&table, vec![taken("N-1")]).await, whole(1, 0));
    // A number that was given twice in one shop.
    let table = Table::of(&["acme-eu 1 N-1 erp exported", "acme-eu 2 N-1 erp exported"]);
    assert_eq!(place(&table, vec![of("acme-eu", taken("N-1"))]).await, failed("N-1", ambiguous));
    let rows: Vec<String> = (0..21).map(|n| format!("acme-eu {n} N-1 erp exported")).collect();
    let table = Table::of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(place(&table, vec![taken("N-1")]).await, failed("N-1", ambiguous));
    assert_eq!(table.reads(), 1, "nobody reads them all");
}

#[tokio::test]
async fn an_order_whose_number_is_its_identifier_is_found_by_it_and_no_other_by_its_identifier() {
    let table = Table::of(&["acme-eu 1001 1001 erp exported", "acme-uk 1002 N-2 erp exported"]);
    assert_eq!(place(&table, vec![taken("1001")]).await, whole(1, 0));
    assert_eq!(table.row("acme-eu", "1001", "erp"), "acknowledged E-1001 -");
    let unknown = "this pipeline has no export of this order";
    assert_eq!(place(&table, vec![taken("1002")]).await, failed("1002", unknown), "it is called otherwise");
    let table = Table::of(&["acme-eu 1001 1001 erp exported", "acme-uk 7 1001 erp exported"]);
    let ambiguous = "several orders are called so: expected the shop as well";
    assert_eq!(place(&table, vec![taken("1001")]).await, failed("1001", ambiguous));
    assert_eq!(place(&table, vec![of("acme-uk", taken("1001"))]).await, whole(1, 0));
}

#[tokio::test]
async fn orders_are_found_by_identifier_and_by_idempotency_key() {
    let rows = ["acme-eu 1#2 N-1 erp exported", "acme-eu 3 N-3 erp exported", "acme-uk 3 N-4 erp exported"];
    let table = Table::of(&rows);
    assert_eq!(place_by(By::Id, &table, vec![taken("1#2")]).await.unwrap(), whole(1, 0));
    let ambiguous = "several orders are called so: expected the shop as well";
    assert_eq!(place_by(By::Id, &table, vec![taken("3")]).await.unwrap(), failed("3", ambiguous));
    assert_eq!(place_by(By::Id, &table, vec![of("acme-uk", taken("3"))]).await.unwrap(), whole(1, 0));
    assert_eq!(table.row("acme-uk", "3", "erp"), "acknowledged E-3 -");

    // An identifier is asked for in every shop, however many there are.
    let table = Table::of(&["shop-29 7 N-7 erp exported"]);
    let (ledger, shops) = (table.ledger(), (0..30).map(|n| format!("shop-{n}")).collect::<Vec<_>>());
    let shops = shops.iter().map(String::as_str).collect();
    let placer = Placer { ledger: &ledger, pipeline: "erp", by: By::Id, shops, waits: &SHORT };
    let tally = placer.place(vec![Ok(taken("7"))], Instant::now() + Duration::from_mins(1)).await.unwrap();
    assert_eq!(Value::Object(tally.members()), whole(1, 0));

    let table = Table::of(&rows);
    let key = export("acme-eu", "1#2", "erp");
    assert_eq!(key, "acme-eu:1%232:erp");
    assert_eq!(place_by(By::IdempotencyKey, &table, vec![taken(&key)]).await.unwrap(), whole(1, 0));
    assert!(table.row("acme-eu", "1#2", "erp").starts_with("acknowledged"));
    for other in ["acme-eu:3:archive", "N-3", "acme-eu:3"] {
        let expected = failed(other, "expected the idempotency key of an export by this pipeline");
        assert_eq!(place_by(By::IdempotencyKey, &table, vec![taken(other)]).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn bad_results_are_listed_with_their_place_and_do_not_keep_the_others() {
    let table = Table::of(&["acme-eu 1 N-1 erp exported"]);
    let ledger = table.ledger();
    let placer = Placer { ledger: &ledger, pipeline: "erp", by: By::Number, shops: Vec::new(), waits: &SHORT };
    let bad = BadResult { order: None, path: "/no".into(), reason: "expected a text or a number".into() };
    let tally = placer.place(vec![Err(bad), Ok(taken("N-1"))], Instant::now() + Duration::from_mins(1)).await.unwrap();
    let failed = json!([{ "index": 0, "path": "/no", "reason": "expected a text or a number" }]);
    assert_eq!(Value::Object(tally.members()), json!({ "acknowledged": 1, "refused": 0, "failed": failed }));
    assert!(!tally.has_early());
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_and_a_lack_of_time_stop_it() {
    let rows: Vec<String> = (0..100).map(|n| format!("acme-eu {n} N-{n} erp exported")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let said = || (0..100).map(|n| taken(&format!("N-{n}"))).collect::<Vec<_>>();
    let table = Table::of(&rows).failing_after(120);
    let stopped = place_by(By::Number, &table, said()).await.unwrap_err();
    assert!(matches!(stopped, Stopped::Unavailable(LedgerError::Unavailable(_))), "{stopped}");
    let done = table.writes();
    assert!((1..100).contains(&done), "{done}");
    // The next run goes through all of them, and writes what is missing.
    table.mended();
    assert_eq!(place_by(By::Number, &table, said()).await.unwrap(), whole(100, 0));
    assert_eq!(table.writes(), 100);

    let table = Table::of(&["acme-eu 1 N-1 erp processing"]);
    let ledger = table.ledger();
    let waits = [Duration::from_mins(1)];
    let placer = Placer { ledger: &ledger, pipeline: "erp", by: By::Number, shops: Vec::new(), waits: &waits };
    let soon = Instant::now() + Duration::from_millis(20);
    assert_eq!(placer.place(vec![Ok(taken("N-1"))], soon).await, Err(Stopped::OutOfTime));
}
