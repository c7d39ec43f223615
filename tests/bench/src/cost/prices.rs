//! List prices, as `prices.toml` has them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the prices are, from the workspace's root.
pub const PLACE: &str = "tests/bench/prices.toml";

/// One list price.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars for `per` of `unit`.
    pub price: f64,
    /// Of how many units it is the price.
    #[serde(default = "one")]
    pub per: f64,
    /// What is counted.
    pub unit: String,
    /// Where AWS publishes it.
    pub page: String,
    /// Where and when the figure was read.
    pub seen: String,
}

fn one() -> f64 {
    1.0
}

impl Price {
    /// US dollars for so many units.
    pub fn of(&self, units: f64) -> f64 {
        units * self.price / self.per
    }
}

macro_rules! prices {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The prices of one region.
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Prices {
            /// Code of the region.
            pub region: String,
            /// When the file was last gone through.
            pub checked: String,
            $($(#[$doc])* pub $name: Price,)*
        }

        impl Prices {
            /// Every price with its name.
            pub fn all(&self) -> Vec<(&'static str, &Price)> {
                vec![$((stringify!($name), &self.$name),)*]
            }
        }
    };
}

prices! {
    /// A request to an HTTP API.
    http_api,
    /// A request to a function URL.
    function_url,
    /// An invocation of a function.
    lambda_request,
    /// A second of a function with one GB, on `x86_64`.
    lambda_x86,
    /// The same on arm64.
    lambda_arm,
    /// A request to a queue.
    sqs_request,
    /// A write request unit.
    dynamodb_write,
    /// A read request unit.
    dynamodb_read,
    /// A GB in a table or index for a month.
    dynamodb_storage,
    /// Its point-in-time recovery.
    dynamodb_recovery,
    /// An object written.
    s3_put,
    /// An object read.
    s3_get,
    /// A GB in a bucket for a month.
    s3_storage,
    /// A GB of log lines taken in.
    logs,
    /// The same in the class for logs that are seldom read.
    logs_infrequent,
    /// A GB of log lines kept for a month.
    logs_storage,
    /// A metric of one's own for a month.
    custom_metric,
    /// A metric that an alarm watches, for a month.
    alarm,
    /// A dashboard for a month.
    dashboard,
    /// A trace recorded.
    trace,
    /// A GB sent to the Internet.
    transfer_out,
    /// A secret for a month.
    secret,
    /// A secret read.
    secret_call,
    /// A run that a schedule starts.
    schedule,
    /// A small instance for an hour.
    instance,
    /// A GB of its disk for a month.
    instance_disk,
    /// A public address for an hour.
    address,
    /// A load balancer for an hour.
    balancer,
    /// A unit of what it balances, for an hour.
    balancer_unit,
    /// A small database for an hour.
    database_small,
    /// A middling one.
    database_medium,
    /// A large one.
    database_large,
    /// A GB of it for a month.
    database_storage,
}

/// Prices cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// The file is not there.
    #[error("{}: {cause}", .file.display())]
    Unread {
        /// Which file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file does not have the prices that are needed, or has others.
    #[error("{}: {cause}", .file.display())]
    Wrong {
        /// Which file.
        file: PathBuf,
        /// What, and where.
        cause: Box<toml::de::Error>,
    },
}

impl Prices {
    /// Reads a file such as `prices.toml`.
    ///
    /// # Errors
    /// It is not there, has a price too few, or something that is no price.
    pub fn read(file: &Path) -> Result<Self, PricesError> {
        let unread = |cause| PricesError::Unread { file: file.to_owned(), cause };
        let text = fs::read_to_string(file).map_err(unread)?;
        toml::from_str(&text).map_err(|cause| PricesError::Wrong { file: file.to_owned(), cause: Box::new(cause) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn prices() -> Prices {
        toml::from_str(include_str!("../../prices.toml")).unwrap()
    }

    #[test]
    fn a_price_is_for_so_many_units() {
        let prices = prices();
        assert!((prices.http_api.of(2_000_000.0) - 2.0).abs() < 1e-9);
        assert!((prices.logs.of(3.0) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn every_price_says_where_it_is_from() {
        for (name, price) in prices().all() {
            assert!(price.page.starts_with("https://aws.amazon.com/"), "{name}: {}", price.page);
            assert!(
                !price.seen.is_empty() && !price.unit.is_empty() && price.price >= 0.0 && price.per > 0.0,
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_price_is_told() {
        let extra = format!("{}\n[sqs_reqest]\nprice = 1.0\n", include_str!("../../prices.toml"));
        let error = toml::from_str::<Prices>(&extra).unwrap_err().to_string();
        assert!(error.contains("sqs_reqest"), "{error}");
        let error = toml::from_str::<Prices>("region = \"x\"\nchecked = \"\"").unwrap_err().to_string();
        assert!(error.contains("http_api"), "{error}");
    }
}
