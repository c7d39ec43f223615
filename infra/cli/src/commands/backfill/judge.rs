//! What is to be done with a line. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ordersync::config::{Config, Shop};
use ordersync::pipeline::filter::Verdict;
use ordersync::queue::Envelope;
use ordersync::webhook::{self, Event, Headers, Subject, Webhook};

/// Decides on the orders of a shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) config: &'a Config,
    pub(super) shop: &'a Shop,
    pub(super) topic: Option<&'a str>,
    /// What filters take for now.
    pub(super) now: Timestamp,
}

/// What is done with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// There is nothing in it.
    Blank,
    /// It is no order of the shop's, for this reason.
    Reject(String),
    /// No pipeline takes the order.
    Skip(Declines),
    /// A pipeline takes it; others may not.
    Send(Declines),
}

/// Why pipelines do not take an order, by their codes.
pub(super) type Declines = BTreeMap<String, String>;

impl Judge<'_> {
    /// Decides on a line as the processor would on its webhook.
    pub(super) fn judge(&self, line: Option<&[u8]>) -> Judgement {
        let Some(body) = line else { return Judgement::Reject("the line is longer than a webhook may be".into()) };
        if body.trim_ascii().is_empty() {
            return Judgement::Blank;
        }
        self.read(body).unwrap_or_else(Judgement::Reject)
    }

    fn read(&self, body: &[u8]) -> Result<Judgement, String> {
        let (platform, headers) = (&self.shop.platform, Headers::default());
        let webhook = Webhook { headers: &headers, topic: self.topic, body };
        let identity = match platform.identify(webhook).map_err(|rejection| rejection.to_string())? {
            Subject::Order(identity) => identity,
            Subject::Ping => return Err("a test of the connection and no order".into()),
        };
        if platform.is_reference(body) {
            // Only the processor fetches it, and filters it then.
            return Ok(Judgement::Send(Declines::new()));
        }
        let order = platform.read(&self.shop.code, body).map_err(|error| error.to_string())?;
        if platform.is_test(body) {
            return Ok(Judgement::Skip(declined("(all)", "a test notification of the platform")));
        }
        let events = webhook::events(identity.event, &order);
        let serving = self.config.pipelines.iter().filter(|pipeline| pipeline.serves(&self.shop.code));
        let (mut declines, mut is_taken) = (Declines::new(), false);
        for pipeline in serving {
            let reason = if pipeline.on.is_disjoint(&events) {
                format!("does not run on {}", names(events.iter()))
            } else {
                match pipeline.filter.decide(&order, self.now) {
                    Ok(Verdict::Take) => {
                        is_taken = true;
                        continue;
                    }
                    Ok(Verdict::Decline(reason)) => reason,
                    Err(error) => return Err(error.to_string()),
                }
            };
            declines.insert(pipeline.code.clone(), reason);
        }
        if declines.is_empty() && !is_taken {
            declines = declined("(all)", "no pipeline takes orders of this shop");
        }
        Ok(if is_taken { Judgement::Send(declines) } else { Judgement::Skip(declines) })
    }

    /// What travels with an order, as intake would have it.
    pub(super) fn envelope(&self, received_at: Timestamp) -> Envelope {
        Envelope {
            shop: self.shop.code.clone(),
            topic: self.topic.map(ToOwned::to_owned),
            delivery_id: None,
            received_at,
            headers: Headers::default(),
            payload_key: None,
            event: None,
        }
    }
}

fn declined(pipeline: &str, reason: &str) -> Declines {
    Declines::from([(pipeline.to_owned(), reason.to_owned())])
}

fn names<'e>(events: impl Iterator<Item = &'e Event>) -> String {
    events.map(|event| event.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use ordersync::config::{Files, parse};

    use super::*;

    const CONFIG: &str = r#"
        [[shops]]
        code = "acme"
        platform = "generic"
        secrets = ["s"]
        signature = { header = "X-Signature" }

        [[pipelines]]
        code = "erp"
        filter = { placed_after = 2026-01-01T00:00:00Z }
        format = { type = "json" }
        transport = { type = "s3", key = "erp/{{ order.number }}" }

        [[pipelines]]
        code = "news"
        filter = { when = "order.total > 100" }
        format = { type = "json" }
        transport = { type = "s3", key = "news/{{ order.number }}" }

        [[pipelines]]
        code = "paid"
        on = ["paid"]
        format = { type = "json" }
        transport = { type = "s3", key = "paid/{{ order.number }}" }
    "#;

    fn order(placed_at: &str, total: &str) -> String {
        serde_json::json!({ "id": "7", "number": "N-7", "placed_at": placed_at, "currency": "EUR", "total": total, "items": [] })
            .to_string()
    }

    fn judged(line: &str) -> Judgement {
        let config = parse("ordersync.toml", CONFIG, &Files::default(), 10).unwrap();
        let judge = Judge { config: &config, shop: &config.shops["acme"], topic: None, now: Timestamp::UNIX_EPOCH };
        judge.judge(Some(line.as_bytes()))
    }

    fn declines(declines: &[(&str, &str)]) -> Declines {
        declines.iter().map(|(pipeline, reason)| ((*pipeline).to_owned(), (*reason).to_owned())).collect()
    }

    #[test]
    fn an_order_is_sent_where_a_pipeline_takes_it() {
        let (early, paid) = (("erp", "placed before 2026-01-01T00:00:00Z"), ("paid", "does not run on placed"));
        let cheap = ("news", "when is false: order.total > 100");
        assert_eq!(judged(&order("2026-02-01T00:00:00Z", "200")), Judgement::Send(declines(&[paid])));
        assert_eq!(judged(&order("2026-02-01T00:00:00Z", "10")), Judgement::Send(declines(&[cheap, paid])));
        assert_eq!(judged(&order("2025-02-01T00:00:00Z", "200")), Judgement::Send(declines(&[early, paid])));
        assert_eq!(judged(&order("2025-02-01T00:00:00Z", "10")), Judgement::Skip(declines(&[early, cheap, paid])));
    }

    #[test]
    fn what_is_no_order_is_rejected_without_repeating_it() {
        assert_eq!(judged("  "), Judgement::Blank);
        for line in ["{", "[]", "{\"id\":null,\"email\":\"zoe@example.com\"}", "{\"id\":\"7\"}"] {
            let Judgement::Reject(reason) = judged(line) else { panic!("{line}") };
            assert!(!reason.is_empty() && !reason.contains("zoe@"), "{reason}");
        }
        let config = parse("ordersync.toml", CONFIG, &Files::default(), 10).unwrap();
        let judge = Judge { config: &config, shop: &config.shops["acme"], topic: None, now: Timestamp::UNIX_EPOCH };
        assert!(matches!(judge.judge(None), Judgement::Reject(_)));
    }
}
