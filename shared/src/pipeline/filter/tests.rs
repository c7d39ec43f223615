use proptest::prelude::*;
use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems, Table};
use crate::template::sample::{any_order, any_text, order};

fn filter(settings: &str) -> Result<Filter, Vec<Problem>> {
    let text = format!("filter = {settings}");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let filter = read(Table::root(document.get_ref(), &problems).get("filter").as_ref());
    let found = problems.into_sorted();
    if found.is_empty() { Ok(filter) } else { Err(found) }
}

fn now() -> Timestamp {
    "2026-02-10T00:00:00Z".parse().unwrap()
}

fn decide(settings: &str) -> Result<Verdict, TemplateError> {
    filter(settings).unwrap().decide(&order(), now())
}

/// The sample: placed 2026-01-31T22:30:05Z in store `de`, by paypal, order `processing`, payment `authorized`.
#[test]
fn orders_are_taken_or_declined_for_a_reason() {
    for (settings, reason) in [
        ("{}", None),
        ("{ placed_after = 2026-01-01T00:00:00Z }", None),
        ("{ placed_after = 2026-01-31T22:30:05Z }", None),
        ("{ placed_after = 2026-02-01T00:00:00Z }", Some("placed before 2026-02-01T00:00:00Z")),
        ("{ placed_after = 2026-01-31T23:30:05+01:00 }", None),
        ("{ placed_before = 2026-02-01T00:00:00Z }", None),
        ("{ placed_before = 2026-01-31T22:30:05Z }", Some("placed not before 2026-01-31T22:30:05Z")),
        ("{ max_age = '30 days' }", None),
        ("{ max_age = '9 days' }", Some("placed more than 9 days ago")),
        ("{ max_age = '36h' }", Some("placed more than 36 hours ago")),
        ("{ stores = ['at', 'DE'] }", None),
        ("{ stores = 'at' }", Some("store de is not in the list")),
        ("{ stores = [] }", None),
        ("{ payments = [] }", None),
        ("{ payments = [{ method = 'PayPal', status = 'processing' }] }", None),
        ("{ payments = [{ method = 'banktransfer', status = 'pending' }, { method = 'paypal' }] }", None),
        ("{ payments = [{ status = 'Processing' }] }", None),
        (
            "{ payments = [{ method = 'paypal', status = 'pending' }] }",
            Some("payment paypal/processing is not in the list"),
        ),
        (
            "{ payments = [{ method = 'invoice', status = 'processing' }] }",
            Some("payment paypal/processing is not in the list"),
        ),
        ("{ states = ['complete', 'processing'] }", None),
        ("{ states = ['complete'] }", Some("state processing is not in the list")),
        ("{ when = 'order.total > 100' }", None),
        ("{ when = \"order.delivery.country == 'AT'\" }", Some("when is false: order.delivery.country == 'AT'")),
        ("{ states = ['complete'], when = 'order.extra.missing > 1' }", Some("state processing is not in the list")),
    ] {
        let expected = reason.map_or(Verdict::Take, |reason| Verdict::Decline(reason.into()));
        assert_eq!(decide(settings), Ok(expected), "{settings}");
    }
}

#[test]
fn an_order_without_a_state_is_judged_by_its_payments() {
    let order = Order { state: None, store: None, ..order() };
    for (settings, reason) in [
        ("{ payments = [{ method = 'paypal', status = 'authorized' }] }", None),
        ("{ states = ['authorized'] }", None),
        ("{ stores = ['de'] }", Some("store (none) is not in the list")),
    ] {
        let expected = reason.map_or(Verdict::Take, |reason| Verdict::Decline(reason.into()));
        assert_eq!(filter(settings).unwrap().decide(&order, now()), Ok(expected), "{settings}");
    }
}

#[test]
fn a_condition_that_is_neither_true_nor_false_is_an_error() {
    for (when, expected) in [
        ("order.total", "expected true or false, found a number"),
        ("order.extra.missing.x", "`order.extra.missing` is undefined"),
    ] {
        let error = decide(&format!("{{ when = '{when}' }}")).unwrap_err();
        assert!(error.message.contains(expected), "{when}: {error}");
    }
}

#[test]
fn problems_are_found_when_the_configuration_is_loaded() {
    for (settings, path, expected) in [
        ("3", "filter", "expected a table"),
        ("{ place_after = 1 }", "filter.place_after", "unknown key, expected one of: max_age, payments, placed_after"),
        ("{ placed_after = 2026-01-01 }", "filter.placed_after", "a time with its zone"),
        ("{ max_age = '0s' }", "filter.max_age", "a length of time"),
        ("{ stores = [1] }", "filter.stores[0]", "a string that is not empty"),
        ("{ payments = ['paypal'] }", "filter.payments[0]", "expected a table"),
        ("{ payments = [{}] }", "filter.payments[0]", "expected a method, a status, or both"),
        (
            "{ payments = [{ methd = 'x' }] }",
            "filter.payments[0].methd",
            "unknown key, expected one of: method, status",
        ),
        ("{ when = 'order.totl > 0' }", "filter.when", "`order.totl` does not exist"),
        ("{ when = 'order.total >' }", "filter.when", "syntax error"),
        ("{ when = 'total > 0' }", "filter.when", "unknown name `total`; there are: order"),
        ("{ placed_after = 2026-02-01T00:00:00Z, placed_before = 2026-01-01T00:00:00Z }", "filter", "no order can fit"),
    ] {
        let problems = filter(settings).unwrap_err();
        let fits = |problem: &Problem| problem.path == path && problem.message.contains(expected);
        assert!(problems.iter().any(fits), "{settings}: {problems:?}");
    }
}

proptest! {
    #[test]
    fn a_verdict_is_stable_and_reveals_no_customer(order in any_order(), secret in "[A-Z]{12}", state in any_text()) {
        let customer = crate::order::Customer { name: Some(secret.clone()), email: Some(secret.clone()), ..Default::default() };
        let order = Order { customer, note: Some(secret.clone()), state: Some(state), ..order };
        let filter = filter("{ placed_after = 2030-01-01T00:00:00Z, states = ['complete'], when = 'order.total > 0' }").unwrap();
        let verdict = filter.decide(&order, now()).unwrap();
        prop_assert_eq!(&verdict, &filter.decide(&order, now()).unwrap());
        if let Verdict::Decline(reason) = verdict {
            prop_assert!(!reason.contains(&secret) && reason.len() < 400 && !reason.contains(char::is_control));
        }
    }

    #[test]
    fn the_windows_of_two_pipelines_share_no_order(order in any_order(), boundary in 0i64..4_000_000_000) {
        let boundary = Timestamp::from_second(boundary).unwrap();
        let takes = |key: &str| {
            filter(&format!("{{ {key} = {boundary} }}")).unwrap().decide(&order, now()).unwrap() == Verdict::Take
        };
        prop_assert!(takes("placed_after") != takes("placed_before"));
    }
}
