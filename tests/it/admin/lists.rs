//! Lists and searches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{
    Claim, Completion, ExportKey, Facts, Fault, FindBy, Keep, Lease, Ledger, NextStep, Origin, Status, Told,
};
use ordersync::webhook::Event;
use ordersync_admin::{Admin, Filter, Key, Kind, Page};

use super::{admin, orders};
use crate::support::stack::Stack;

fn facts(number: &str) -> Facts {
    Facts {
        number: number.into(),
        placed_at: Some("2026-03-01T08:30:00Z".parse().unwrap()),
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], clock::now()),
        customer: None,
        origin: Origin::default(),
        kept: None,
        find_by: FindBy::default(),
    }
}

async fn claimed(ledger: &Ledger, key: &ExportKey, number: &str, now: Timestamp) -> Lease {
    match ledger.claim(key, &facts(number), "owner", now, clock::later(now, std::time::Duration::from_mins(1))).await {
        Ok(Claim::Granted(lease)) => lease,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn exported(ledger: &Ledger, key: &ExportKey, number: &str, external_id: Option<&str>) {
    let lease = claimed(ledger, key, number, clock::now()).await;
    let external_id = external_id.map(ToOwned::to_owned);
    let done = Completion { destination: "https://erp.example.com".into(), external_id, acknowledge_by: None };
    ledger.complete(&lease, &done, Keep::No, clock::now()).await.unwrap();
}

pub(super) async fn failed(ledger: &Ledger, key: &ExportKey, error: &str) {
    let lease = claimed(ledger, key, &key.order_id, clock::now()).await;
    let next = NextStep::GiveUp(Fault::Permanent);
    ledger.fail(&lease, error, None, next, None, clock::now()).await.unwrap();
}

fn of(shop: &str) -> Filter {
    Filter { shop: Some(shop.into()), ..Filter::default() }
}

/// Every page of a list.
async fn all(admin: &Admin, filter: &Filter, limit: u32) -> Vec<Vec<Key>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: Some(limit), cursor };
        let listing = admin.list(filter, &page).await.unwrap();
        assert!(listing.exports.len() <= limit as usize && listing.examined <= 5000, "{}", listing.examined);
        pages.push(listing.exports.into_iter().map(|row| row.key).collect());
        cursor = listing.cursor;
        if cursor.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn of_300_exports_none_comes_twice_and_none_is_lost_while_some_change() {
    let stack = Stack::get();
    let (admin, shop) = (admin(&stack), "it-admin-list");
    let key = |number: usize| ExportKey::new(shop, &format!("list-{number:03}"), "erp");
    for number in 0..300 {
        match number % 3 {
            0 => failed(&stack.ledger, &key(number), "no such sku").await,
            _ => exported(&stack.ledger, &key(number), &format!("N-{number}"), None).await,
        }
    }
    let (mut seen, mut changed, mut cursor) = (BTreeMap::<Key, usize>::new(), BTreeSet::new(), None);
    let mut times = Vec::new();
    for page in 0.. {
        let listing = admin.list(&of(shop), &Page { limit: Some(17), cursor }).await.unwrap();
        for row in listing.exports {
            times.push(row.updated_at);
            *seen.entry(row.key).or_default() += 1;
        }
        cursor = listing.cursor;
        if cursor.is_none() {
            break;
        }
        // One that has come, and one that has not: both move to the top of the list.
        for number in [299 - page * 3, page * 3].into_iter().filter(|number| number % 3 == 0) {
            let row = stack.ledger.export(&key(number)).await.unwrap().unwrap();
            if row.status == Status::Error {
                stack.ledger.skip_by_hand(&row, "changed meanwhile", clock::now()).await.unwrap();
                changed.insert(Key::from(&key(number)));
            }
        }
    }
    assert!(times.is_sorted_by(|newer, older| newer >= older), "newest first");
    assert!(seen.values().all(|times| *times == 1), "none twice");
    assert!(changed.len() >= 10, "{}", changed.len());
    let lost: Vec<_> = (0..300).map(|number| Key::from(&key(number))).filter(|key| !seen.contains_key(key)).collect();
    assert!(lost.iter().all(|key| changed.contains(key)), "what did not change comes: {lost:?}");
    // What changed before it came is on top of a new list.
    let top: BTreeSet<_> =
        all(&admin, &of(shop), u32::try_from(changed.len()).unwrap()).await.remove(0).into_iter().collect();
    assert_eq!(top, changed);
}

#[tokio::test]
async fn a_filter_takes_what_it_says_and_no_more() {
    let stack = Stack::get();
    let (admin, shop) = (admin(&stack), "it-admin-filter");
    let key = |order: &str, pipeline: &str| ExportKey::new(shop, order, pipeline);
    exported(&stack.ledger, &key("a", "erp"), "N-a", None).await;
    exported(&stack.ledger, &key("b", "wms"), "N-b", None).await;
    failed(&stack.ledger, &key("c", "erp"), "Timeout after 10 s").await;
    let between = clock::now();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    failed(&stack.ledger, &key("d", "erp"), "no such SKU").await;
    let status = |status| BTreeSet::from([status]);
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (of(shop), &["d", "c", "b", "a"][..]),
        (Filter { status: status(Status::Error), ..of(shop) }, &["d", "c"]),
        (Filter { status: status(Status::Exported), pipeline: text("wms"), ..of(shop) }, &["b"]),
        (Filter { error_text: text("no such sku"), ..of(shop) }, &["d"]),
        (Filter { since: Some(between), ..of(shop) }, &["d"]),
        (Filter { until: Some(between), ..of(shop) }, &["c", "b", "a"]),
        (Filter { status: status(Status::Pending), ..of(shop) }, &[]),
    ] {
        for limit in [1, 2, 50] {
            let keys = all(&admin, &filter, limit).await.concat();
            let found: Vec<_> = keys.iter().map(|key| key.order.as_str()).collect();
            assert_eq!(found, expected, "{filter:?} by {limit}");
        }
    }
    let row = &admin.list(&of(shop), &Page::default()).await.unwrap().exports[3];
    assert_eq!((row.number.as_str(), row.attempts, row.placed_at), ("N-a", 1, facts("").placed_at));
    let bad = Page { cursor: Some("x".into()), ..Page::default() };
    assert_eq!(admin.list(&of(shop), &bad).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn an_order_is_found_by_everything_that_it_is_called() {
    let stack = Stack::get();
    let (admin, shop) = (admin(&stack), "it-admin-search");
    let key = ExportKey::new(shop, "90071", "erp");
    exported(&stack.ledger, &key, "#S-1001", Some("SO-S-77")).await;
    exported(&stack.ledger, &ExportKey::new(shop, "90071", "wms"), "#S-1001", None).await;
    let shops = [shop.to_owned(), "it-admin".to_owned()];
    for text in ["#S-1001", "S-1001", " S-1001 ", "90071", "SO-S-77", "it-admin-search:90071:erp"] {
        let found = admin.search(&shops, text).await.unwrap();
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!((found[0].order.shop.as_str(), found[0].number.as_str()), (shop, "#S-1001"), "{text}");
        assert_eq!(orders(&found[0].exports), ["90071", "90071"], "{text}");
    }
    assert_eq!(admin.search(&shops, "nobody-has-this").await.unwrap(), []);
    assert_eq!(admin.search(&shops, "  ").await.unwrap_err().kind, Kind::Invalid);
}
