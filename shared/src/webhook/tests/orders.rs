//! What the sample orders become when the shop says something else.

use serde_json::{Value, json};

use super::*;
use crate::order::{Address, Customer, Order, Payment};
use crate::webhook::{BadOrder, Event, Rejection, Subject};

/// The sample order of a platform, with some of its fields changed.
pub(super) fn changed(name: &str, changes: &[(&str, Value)]) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(&order_body(name)).expect("JSON");
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        match document.pointer_mut(parent).expect(pointer) {
            Value::Object(fields) => {
                fields.insert(key.to_owned(), value.clone());
            }
            list => list[key.parse::<usize>().expect("an index")] = value.clone(),
        }
    }
    document.to_string().into_bytes()
}

fn read_changed(name: &str, changes: &[(&str, Value)]) -> Result<Order, BadOrder> {
    let shop = PLATFORMS.iter().find(|(platform, _)| *platform == name).expect(name).1;
    sample_platforms()[shop].read(shop, &changed(name, changes))
}

pub(super) fn order(name: &str, changes: &[(&str, Value)]) -> Order {
    read_changed(name, changes).expect(name)
}

#[test]
fn shopify_states() {
    for (cancelled, fulfilled, expected) in [
        (json!(null), json!(null), "unfulfilled"),
        (json!(null), json!("partial"), "partial"),
        (json!("2026-08-02T08:00:00+02:00"), json!("fulfilled"), "cancelled"),
    ] {
        let order = order("shopify", &[("/cancelled_at", cancelled), ("/fulfillment_status", fulfilled)]);
        assert_eq!(order.state.as_deref(), Some(expected));
    }
    for (state, expected) in [
        ("paid", true),
        ("pending", false),
        ("authorized", false),
        ("partially_paid", false),
        ("partially_refunded", true),
    ] {
        let payment = order("shopify", &[("/financial_status", json!(state))]).payment;
        assert_eq!((payment.state.as_deref(), payment.paid), (Some(state), expected));
    }
}

#[test]
fn shopify_says_things_in_several_places() {
    let sparse = order(
        "shopify",
        &[
            ("/name", json!(null)),
            ("/email", json!("")),
            ("/total_shipping_price_set", json!(null)),
            ("/customer", json!(null)),
            ("/line_items/0/discount_allocations", json!([])),
            ("/line_items/0/total_discount", json!("1.00")),
            ("/line_items/0/tax_lines", json!([])),
            ("/line_items/1/name", json!(null)),
        ],
    );
    assert_eq!(sparse.number, "1042");
    assert_eq!(sparse.customer.email.as_deref(), Some("kaethe@example.com"));
    assert_eq!((sparse.customer.id, sparse.customer.name.as_deref()), (None, Some("Käthe Grünwald")));
    assert_eq!(sparse.shipping.map(|money| money.to_string()).as_deref(), Some("4.90"));
    assert_eq!(sparse.items[0].total.to_string(), "68.80");
    assert_eq!(sparse.items[0].tax.map(|money| money.to_string()).as_deref(), Some("0.00"));
    assert_eq!(sparse.items[1].name, "Kaffeebohnen »Größenwahn«");
}

#[test]
fn shopifys_test_notification_is_known() {
    let platform = &sample_platforms()["demo-shopify"];
    for (test, cancelled, expected) in [
        (json!(true), json!("2026-08-01T00:00:00Z"), true),
        (json!(true), json!(null), false),
        (json!(false), json!("2026-08-01T00:00:00Z"), false),
    ] {
        let body = changed("shopify", &[("/test", test), ("/cancelled_at", cancelled)]);
        assert_eq!(platform.is_test(&body), expected);
    }
    assert!(!platform.is_test(b"no JSON"));
}

#[test]
fn woocommerces_ping_is_known_by_its_form_and_its_missing_signature() {
    let platform = &sample_platforms()["demo-woocommerce"];
    let (none, signed): (Headers, Headers) =
        (Headers::default(), [("x-wc-webhook-signature", "AAAA")].into_iter().collect());
    for (headers, body, expected) in [
        (&none, "webhook_id=11", true),
        (&none, "webhook_id=11\n", true),
        (&signed, "webhook_id=11", false),
        (&none, "webhook_id=", false),
        (&none, "webhook_id=1&x=2", false),
        (&none, r#"{"id":1}"#, false),
    ] {
        assert_eq!(platform.is_unsigned_ping(webhook(headers, body.as_bytes())), expected, "{body}");
    }
    assert_eq!(platform.identify(webhook(&signed, b"webhook_id=11")), Ok(Subject::Ping));
    assert!(!sample_platforms()["demo-shopify"].is_unsigned_ping(webhook(&none, b"webhook_id=11")));
}

#[test]
fn woocommerces_payment_and_offset_are_worked_out() {
    for (paid, expected) in [(json!(null), "pending"), (json!("2026-08-01T12:00:00"), "paid")] {
        let payment = order("woocommerce", &[("/date_paid_gmt", paid)]).payment;
        assert_eq!((payment.state.as_deref(), payment.paid), (Some(expected), expected == "paid"));
    }
    for (local, expected) in [
        (json!("2026-08-01T06:21:09"), "-05:30"),
        (json!("2026-08-01T11:51:09"), "+00:00"),
        (json!("2026-08-01T11:51:10"), "+00:00"),
        (json!(null), "+00:00"),
    ] {
        let order = order("woocommerce", &[("/date_created", local)]);
        assert_eq!(
            (order.utc_offset.as_str(), order.placed_at.to_string().as_str()),
            (expected, "2026-08-01T11:51:09Z")
        );
    }
    assert_eq!(order("woocommerce", &[("/customer_id", json!(0))]).customer.id, None);
}

#[test]
fn magento_is_read_in_every_wrapping() {
    let platform = &sample_platforms()["demo-magento"];
    let plain: Value = serde_json::from_slice(&body("magento")).expect("JSON");
    let headers = Headers::default();
    for wrapped in [
        plain.clone(),
        json!({ "order": plain }),
        json!({ "data": plain }),
        json!({ "data": { "value": plain, "_metadata": {} } }),
        json!({ "data": { "order": plain } }),
    ] {
        let body = wrapped.to_string();
        let Ok(Subject::Order(identity)) = platform.identify(webhook(&headers, body.as_bytes())) else {
            panic!("{body}")
        };
        let order = platform.read("shop", body.as_bytes()).expect("an order");
        assert_eq!((identity.order_id.as_str(), order.id.as_str(), order.items.len()), ("40127", "40127", 3));
    }
}

#[test]
fn magentos_payment_is_worked_out() {
    for (due, paid, state, expected) in [
        (json!(676.36), json!(null), "new", false),
        (json!(0), json!(676.36), "processing", true),
        (json!("0.0000"), json!(null), "new", true),
        (json!(null), json!("676.3600"), "processing", true),
        (json!(null), json!(null), "complete", true),
        (json!(null), json!(null), "new", false),
    ] {
        let changes = [("/total_due", due), ("/total_paid", paid), ("/state", json!(state))];
        assert_eq!(order("magento", &changes).payment.paid, expected, "{changes:?}");
    }
}

#[test]
fn magento_writes_numbers_as_texts_and_addresses_elsewhere() {
    let order = order(
        "magento",
        &[
            ("/grand_total", json!("676.3600")),
            ("/discount_amount", json!("-52.0000")),
            ("/items/0/qty_ordered", json!("2.0000")),
            ("/items/0/parent_item_id", json!(null)),
            ("/items/1/parent_item_id", json!("301")),
            ("/extension_attributes", json!([])),
            (
                "/addresses",
                json!([{"address_type": "billing"}, {"address_type": "shipping", "city": "Gdynia", "street": "Molo 1\nkeja 2"}]),
            ),
            ("/status", json!(null)),
            ("/billing_address/region", json!({"region": "mazowieckie", "region_id": 1})),
        ],
    );
    assert_eq!((order.total.to_string(), order.items[0].quantity.to_string()), ("676.36".into(), "2".into()));
    assert_eq!(order.discount.map(|money| money.to_string()).as_deref(), Some("52.00"));
    assert_eq!(
        (order.delivery.city.as_deref(), order.delivery.street.as_deref()),
        (Some("Gdynia"), Some("Molo 1, keja 2"))
    );
    assert_eq!((order.state.as_deref(), order.billing.region.as_deref()), (Some("new"), Some("mazowieckie")));
    assert_eq!(order.items.len(), 3);
}

#[test]
fn a_magento_child_without_its_parent_counts_itself() {
    let order = order("magento", &[("/items/1/parent_item_id", json!(999))]);
    assert_eq!(order.items.len(), 4);
}

#[test]
fn shopware_without_associations_is_read_with_nulls() {
    let at = |key: &'static str| format!("/data/payload/order/{key}");
    let pointers = [
        "stateMachineState",
        "orderCustomer",
        "addresses",
        "billingAddress",
        "deliveries",
        "lineItems",
        "transactions",
    ]
    .map(at);
    let changes: Vec<(&str, Value)> = pointers.iter().map(|pointer| (pointer.as_str(), json!(null))).collect();
    let order = order("shopware", &changes);
    assert_eq!((order.items.len(), order.state, order.discount), (0, None, None));
    assert_eq!((order.payment, order.customer), (Payment::default(), Customer::default()));
    assert_eq!((order.billing, order.delivery), (Address::default(), Address::default()));
    assert_eq!((order.total.to_string(), order.number.as_str()), ("107.98".into(), "CH-10418"));
    let no_currency = read_changed("shopware", &[("/data/payload/order/currency", json!(null))]);
    let expected = "expected the currency's ISO code: let the webhook load the association currency";
    assert_eq!(no_currency.map_err(|error| error.expected), Err(expected.to_owned()));
}

#[test]
fn shopwares_addresses_are_found_by_their_ids_and_lists_may_be_objects() {
    let document: Value = serde_json::from_slice(&body("shopware")).expect("JSON");
    let order_at = |key: &str| document.pointer(&format!("/data/payload/order/{key}")).expect("a field").clone();
    let lines = order_at("lineItems");
    let changes = [
        ("/data/payload/order/billingAddress", json!(null)),
        ("/data/payload/order/deliveries/0/shippingOrderAddress", json!(null)),
        ("/data/payload/order/lineItems", json!({"a": lines[0], "b": lines[1], "c": lines[2]})),
    ];
    assert_eq!(Ok(order("shopware", &changes).delivery), read_changed("shopware", &[]).map(|order| order.delivery));
    assert_eq!(order("shopware", &changes).billing.name.as_deref(), Some("Léonie Zürcher"));
    assert_eq!(order("shopware", &changes).items.len(), 2);
}

#[test]
fn shopwares_nested_lines_are_part_of_those_above_them() {
    let parent = [("/data/payload/order/lineItems/1/parentId", json!("0197f1c700000000000000000000001e"))];
    assert_eq!(order("shopware", &parent).items.len(), 1);
}

#[test]
fn shopwares_payment_is_the_one_that_counts() {
    let state = "/data/payload/order/transactions/1/stateMachineState/technicalName";
    let last = "/data/payload/order/transactions/1/createdAt";
    for (changes, expected) in [
        (vec![], "payment_examplecard"),
        (vec![(state, json!("cancelled"))], "payment_examplecard"),
        (vec![(last, json!("2026-08-01T11:00:00.000+00:00"))], "payment_examplecard"),
        (
            vec![("/data/payload/order/primaryOrderTransactionId", json!("0197f1c7000000000000000000000028"))],
            "payment_examplepay",
        ),
    ] {
        assert_eq!(order("shopware", &changes).payment.method.as_deref(), Some(expected), "{changes:?}");
    }
}

#[test]
fn shopifys_payment_method_is_the_one_that_is_not_a_gift_card() {
    for (names, expected) in [
        (json!(["gift_card", "shopify_payments"]), Some("shopify_payments")),
        (json!(["gift_card"]), Some("gift_card")),
        (json!([]), None),
    ] {
        let changes = [("/payment_gateway_names", names), ("/gateway", json!(null))];
        assert_eq!(order("shopify", &changes).payment.method.as_deref(), expected);
    }
}

#[test]
fn a_woocommerce_line_that_was_made_dearer_has_no_discount() {
    let line =
        order("woocommerce", &[("/line_items/0/subtotal", json!("10.00")), ("/line_items/0/total", json!("12.00"))]);
    let line = &line.items[0];
    assert_eq!(
        (line.discount.map(|m| m.to_string()).as_deref(), line.total.to_string().as_str()),
        (Some("0.00"), "12.00")
    );
}

#[test]
fn the_discount_of_a_magento_bundle_stands_with_its_parts() {
    let line = |id: u32, parent: Value, kind: &str, discount: &str| {
        json!({
            "item_id": id, "parent_item_id": parent, "product_type": kind, "sku": format!("SKU-{id}"), "name": "x",
            "qty_ordered": 1, "price": 300, "row_total": 300, "discount_amount": discount, "tax_amount": 0
        })
    };
    let items = json!([
        line(1, json!(null), "bundle", "0"),
        line(2, json!(1), "simple", "20"),
        line(3, json!(1), "simple", "10"),
        line(4, json!(null), "configurable", "5"),
        line(5, json!(4), "simple", "5"),
    ]);
    let order = order("magento", &[("/items", items)]);
    let lines = order.items.iter().map(|item| (item.sku.as_deref(), item.discount.map(|m| m.to_string())));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines, [(Some("SKU-1"), Some("30.00".to_owned())), (Some("SKU-4"), Some("5.00".to_owned()))]);
}

#[test]
fn magentos_cloud_event_says_what_happened_and_which_delivery_it_is() {
    let order: Value = serde_json::from_slice(&body("magento")).expect("JSON");
    for (kind, topic, expected) in [
        ("sales.order.created", None, Ok(Event::Placed)),
        ("sales.order.paid", Some("placed"), Ok(Event::Paid)),
        ("sales.order.cancelled", None, Ok(Event::Canceled)),
        ("sales.invoice.paid", None, Err(Rejection::UnknownTopic("sales.invoice.paid".into()))),
    ] {
        let time = "2026-08-01T13:40:29+02:00";
        let event = json!({ "specversion": "1.0", "id": "0197f1c7", "type": kind, "time": time, "data": order });
        let event = event.to_string();
        let headers = Headers::default();
        let subject =
            sample_platforms()["demo-magento"].identify(Webhook { headers: &headers, topic, body: event.as_bytes() });
        match subject {
            Ok(Subject::Order(identity)) => {
                assert_eq!((Ok(identity.event), identity.delivery_id.as_deref()), (expected, Some("0197f1c7")));
                assert_eq!(identity.occurred_at.map(|at| at.to_string()).as_deref(), Some("2026-08-01T11:40:29Z"));
            }
            other => assert_eq!(other.map(|_| Event::Updated), expected),
        }
    }
}
