//! What every ordersync function shares, in the order in which an order meets it: the platform's webhook, the
//! order, the configuration, the queue, the pipelines, the ledger, calls back to the shop.
#![warn(missing_docs)]

pub mod aws;
pub mod clock;
pub mod config;
#[cfg(test)]
mod fake;
pub mod ledger;
mod net;
pub mod order;
pub mod pipeline;
pub mod queue;
pub mod schedule;
pub mod secrets;
pub mod setup;
pub mod shop;
pub mod telemetry;
pub mod template;
pub mod webhook;
