//! What a webhook's message would have the processor do, for those who find it in the dead-letter queue. Pure.

use std::collections::BTreeSet;

use super::message::{read_order, wanted};
use crate::config::{Config, Shop};
use crate::ledger::{ExportKey, Told};
use crate::queue::Envelope;
use crate::webhook::{self, Event, Rejection, Subject, Webhook};

/// What a webhook's message would have the processor do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The platform's identifier of the order.
    pub order_id: String,
    /// The pipelines that it leaves a row of; [`ExportKey::NO_PIPELINE`] where there is none.
    pub pipelines: Vec<String>,
    /// Whether it leaves a row of no other: what else happened may stand in an order that it only names.
    pub is_whole: bool,
    /// When the shop said what is to be noted of the order's state, where it says such a thing.
    pub news: Option<Told>,
}

/// What a webhook's message is about; nothing for a platform's test of the connection.
///
/// # Errors
/// A body that names no order, as the platform says it.
pub fn about(config: &Config, shop: &Shop, envelope: &Envelope, raw: &[u8]) -> Result<Option<About>, Rejection> {
    let webhook = Webhook { headers: &envelope.headers, topic: envelope.topic.as_deref(), body: raw };
    let Subject::Order(identity) = shop.platform.identify(webhook)? else { return Ok(None) };
    let order = read_order(shop, raw).ok();
    let happened =
        order.as_ref().map_or(BTreeSet::from([identity.event]), |order| webhook::events(identity.event, order));
    let (is_whole, is_test) = (order.is_some(), order.is_some() && shop.platform.is_test(raw));
    // Of an order that can neither be read nor fetched, an update tells nothing.
    let has_state = is_whole || shop.platform.is_reference(raw) || identity.event != Event::Updated;
    let is_news = !is_test && has_state && !happened.contains(&Event::Placed);
    let told_at = webhook::told_at(&identity, order.as_ref(), envelope.received_at);
    let mut pipelines: Vec<String> = wanted(config, &shop.code, &happened).map(|found| found.code.clone()).collect();
    if is_test || (pipelines.is_empty() && happened.contains(&Event::Placed)) {
        pipelines = vec![ExportKey::NO_PIPELINE.to_owned()];
    }
    let news = is_news.then(|| Told::by(&happened, told_at));
    Ok(Some(About { order_id: identity.order_id, pipelines, is_whole, news }))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{Files, parse};
    use crate::webhook::Headers;

    const DOCUMENT: &str = r#"
        [[shops]]
        code = "acme"
        platform = "standard-webhooks"
        secrets = ["s"]

        [[shops]]
        code = "mute"
        platform = "standard-webhooks"
        secrets = ["s"]

        [[shops]]
        code = "names"
        platform = "bigcommerce"
        secrets = ["s"]
        api = { url = "https://api.example.com/stores/names", auth = "t" }

        [[pipelines]]
        code = "erp"
        shops = ["acme"]
        format = { type = "json" }
        transport = { type = "s3", key = "{{ order.number }}" }

        [[pipelines]]
        code = "paid"
        on = ["paid", "updated"]
        shops = ["acme"]
        format = { type = "json" }
        transport = { type = "s3", key = "paid/{{ order.number }}" }
    "#;

    fn order() -> Value {
        json!({
            "id": "1", "number": "N-1", "placed_at": "2026-03-01T08:30:00Z", "currency": "EUR", "total": "1.00",
            "payment": { "state": "open" }, "items": []
        })
    }

    fn read(shop: &str, topic: &str, order: &Value) -> Result<Option<About>, Rejection> {
        let config = parse("ordersync.toml", DOCUMENT, &Files::default(), 10).expect("a right document");
        let envelope = Envelope {
            shop: shop.into(),
            topic: Some(topic.to_owned()).filter(|topic| !topic.is_empty()),
            delivery_id: None,
            received_at: "2026-03-01T09:00:00Z".parse::<Timestamp>().expect("a time"),
            headers: Headers::default(),
            payload_key: None,
            event: None,
        };
        about(&config, &config.shops[shop], &envelope, order.to_string().as_bytes())
    }

    #[test]
    fn a_message_is_about_the_pipelines_and_the_news_that_the_processor_would_see_to() {
        let unread = json!({ "id": "1" });
        let mut paid = order();
        paid["payment"]["state"] = json!("paid");
        let mut canceled = order();
        canceled["state"] = json!("canceled");
        for (what, shop, topic, order, pipelines, is_news) in [
            ("placed", "acme", "placed", &order(), &["erp"][..], false),
            ("placed and paid", "acme", "placed", &paid, &["erp", "paid"], false),
            ("placed, and canceled since", "acme", "placed", &canceled, &[], true),
            ("placed, and nobody wants it", "mute", "placed", &order(), &["-"], false),
            ("updated", "acme", "updated", &order(), &["paid"], true),
            ("updated, and nobody wants it", "mute", "updated", &order(), &[], true),
            ("canceled", "acme", "canceled", &order(), &[], true),
            ("placed, and unreadable", "acme", "placed", &unread, &["erp"], false),
            ("placed, unreadable, unwanted", "mute", "placed", &unread, &["-"], false),
            ("updated, and unreadable", "acme", "updated", &unread, &["paid"], false),
            ("updated, unreadable, unwanted", "mute", "updated", &unread, &[], false),
            ("canceled, and unreadable", "acme", "canceled", &unread, &[], true),
        ] {
            let about = read(shop, topic, order).expect(what).expect(what);
            let pipelines = pipelines.iter().map(ToString::to_string).collect();
            assert_eq!((about.pipelines, about.news.is_some()), (pipelines, is_news), "{what}");
            assert_eq!(about.is_whole, !what.contains("unreadable"), "{what}");
        }
    }

    #[test]
    fn a_message_that_only_names_its_order_may_be_about_more() {
        for (scope, pipelines, is_news) in
            [("created", &["-"][..], false), ("statusUpdated", &[], true), ("updated", &[], true)]
        {
            let body = json!({ "scope": format!("store/order/{scope}"), "data": { "type": "order", "id": 250 } });
            let about = read("names", "", &body).expect(scope).expect(scope);
            let pipelines = pipelines.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!((about.order_id.as_str(), about.is_whole), ("250", false), "{scope}");
            assert_eq!((about.pipelines, about.news.is_some()), (pipelines, is_news), "{scope}");
        }
    }

    #[test]
    fn what_names_no_order_is_no_orders_message() {
        assert!(read("acme", "placed", &json!({ "number": "N-1" })).is_err());
    }
}
