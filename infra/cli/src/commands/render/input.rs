//! The order that a document is made of: from a webhook, or from a sample.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use clap::ValueEnum;
use ordersync::config::{Config, Files, Shop, parse};
use ordersync::order::Order;
use ordersync::pipeline::Export;
use ordersync::webhook::{self, Event, Headers, Subject, Webhook};

use super::Render;
use crate::configured;
use crate::exit::{Failure, file_failure};

/// A platform whose webhook comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sample {
    Shopify,
    Woocommerce,
    Magento,
    Shopware,
    StandardWebhooks,
}

impl Sample {
    /// The platform's name in a configuration, and its webhook.
    fn webhook(self) -> (&'static str, &'static [u8]) {
        match self {
            Self::Shopify => ("shopify", include_bytes!("../../../../../events/webhooks/shopify.json")),
            Self::Woocommerce => ("woocommerce", include_bytes!("../../../../../events/webhooks/woocommerce.json")),
            Self::Magento => ("magento", include_bytes!("../../../../../events/webhooks/magento.json")),
            Self::Shopware => ("shopware", include_bytes!("../../../../../events/webhooks/shopware.json")),
            Self::StandardWebhooks => {
                ("standard-webhooks", include_bytes!("../../../../../events/webhooks/standard-webhooks.json"))
            }
        }
    }
}

/// An order and the webhook that brought it.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) order: Order,
    pub(super) events: BTreeSet<Event>,
    raw: Vec<u8>,
    headers: Headers,
}

impl Input {
    /// What the arguments name.
    pub(super) fn read(asked: &Render, config: &Config) -> Result<Self, Failure> {
        let code = asked.shop.as_deref();
        if let Some(sample) = asked.sample {
            let (platform, body) = sample.webhook();
            let reads = config_of(platform)?;
            let shop = configured::shop(&reads, "sample")?;
            return Self::of(shop, code.unwrap_or("sample"), body.to_vec(), Headers::default(), None);
        }
        let shop = configured::shop(config, code.unwrap_or_default())?;
        let raw = read_file(asked.webhook.as_deref().unwrap_or_else(|| Path::new("-")))?;
        let headers = match &asked.headers {
            Some(file) => headers(&String::from_utf8_lossy(&read_file(file)?), file)?,
            None => Headers::default(),
        };
        Self::of(shop, &shop.code, raw, headers, asked.topic.as_deref())
    }

    fn of(shop: &Shop, code: &str, raw: Vec<u8>, headers: Headers, topic: Option<&str>) -> Result<Self, Failure> {
        let webhook = Webhook { headers: &headers, topic, body: &raw };
        let wrong = |what: String| Failure::Wrong(format!("the webhook is not one of the shop's platform: {what}"));
        if shop.platform.is_reference(&raw) {
            let message =
                "it only names its order, which would be fetched from the shop: give the order's document instead";
            return Err(wrong(message.into()));
        }
        let event = match shop.platform.identify(webhook) {
            Ok(Subject::Order(identity)) => identity.event,
            // What is fetched from a shop names its order as no webhook does.
            Err(ordersync::webhook::Rejection::NoOrder { .. }) => Event::Placed,
            Ok(Subject::Ping) => return Err(wrong("it is a test of the connection".into())),
            Err(rejection) => return Err(wrong(rejection.to_string())),
        };
        let order = shop.platform.read(code, &raw).map_err(|error| wrong(error.to_string()))?;
        let events = webhook::events(event, &order);
        Ok(Self { order, events, raw, headers })
    }

    /// As a pipeline gets it.
    pub(super) fn export<'a>(&'a self, pipeline: &'a str, idempotency_key: &'a str) -> Export<'a> {
        Export { pipeline, order: &self.order, raw: &self.raw, headers: &self.headers, idempotency_key }
    }
}

/// A configuration with one shop of the platform, to read its sample by.
fn config_of(platform: &str) -> Result<Config, Failure> {
    let text = format!(
        "[[shops]]\ncode = \"sample\"\nplatform = \"{platform}\"\nsecrets = [\"none\"]\n\n[[pipelines]]\ncode = \"sample\"\n\
         format = {{ type = \"json\" }}\ntransport = {{ type = \"s3\", key = \"sample\" }}\n"
    );
    parse("the sample", &text, &Files::default(), 1).map_err(|invalid| Failure::Wrong(invalid.to_string()))
}

/// A file, or the input where it is called `-`.
pub(crate) fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| file_failure(file, &error))?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| file_failure(file, &error))
}

/// Lines of `Name: value`; a request line or blank ones in between are passed over.
fn headers(text: &str, file: &Path) -> Result<Headers, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with("POST "));
    let field = |(index, line): (usize, &str)| {
        let field = line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        field.ok_or_else(|| Failure::Wrong(format!("{}:{}: expected Name: value", file.display(), index + 1)))
    };
    lines.map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_an_order_that_was_placed() {
        for sample in Sample::value_variants() {
            let (platform, body) = sample.webhook();
            let config = config_of(platform).unwrap();
            let shop = &config.shops["sample"];
            let input = Input::of(shop, "acme", body.to_vec(), Headers::default(), None).unwrap();
            assert!(input.events.contains(&Event::Placed), "{platform}");
            assert_eq!(input.order.shop, "acme");
        }
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let file = Path::new("headers.txt");
        let read =
            headers("POST /webhooks/acme HTTP/1.1\nX-Shopify-Topic: orders/create\n\nX-Time: 10:00\n", file).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("x-shopify-topic", "orders/create"), ("x-time", "10:00")]);
        let wrong = headers("A: b\nnone\n", file).unwrap_err();
        assert_eq!(wrong.to_string(), "headers.txt:2: expected Name: value");
    }
}
