//! Logs: one JSON object a line, the way `CloudWatch` Logs Insights reads them. Metrics: lines of the same log.

mod metrics;

pub use metrics::{Dimension, Metric, Unit, metrics};

use tracing_subscriber::EnvFilter;

use crate::aws::variable;

/// Starts logging at `LOG_LEVEL` (`info` where it is not set; anything that `tracing` understands). A panic becomes a
/// log line that says where it happened, and not what data it met.
#[expect(clippy::print_stderr, reason = "there is no log yet to say it in")]
pub fn start() {
    let level = variable("LOG_LEVEL").unwrap_or_else(|| "info".into()).to_ascii_lowercase();
    // What these say below their level are whole requests and events: orders, signatures and secrets. The runtime's
    // panic layer says of a failure or panic, in Rust's terms, what has been logged where it was handled.
    let quiet = "lambda_runtime=info,lambda_runtime::layers::panic=off,lambda_runtime_api_client=info,\
        aws_sigv4=warn,aws_runtime=warn,\
        aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_smithy_http_client=warn,h2=warn,hyper=warn,\
        hyper_util=warn,reqwest=warn,rustls=warn";
    let filter = EnvFilter::try_new(format!("{level},{quiet}")).unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
    if let Err(error) = started {
        eprintln!("logging was started before: {error}");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic at {place}");
    }));
}
