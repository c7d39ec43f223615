//! Logs: one JSON object a line, the way `CloudWatch` Logs Insights reads them. Metrics: lines of the same log.

mod log;
mod metrics;

pub use metrics::{Dimension, Metric, metrics};

use tracing_subscriber::filter::Targets;

use crate::aws::variable;
use log::Log;

/// What these say below their level are whole requests and events: orders, signatures and secrets. The runtime's panic
/// layer says of a failure or panic, in Rust's terms, what has been logged where it was handled.
const QUIET: &str = "lambda_runtime=info,lambda_runtime::layers::panic=off,lambda_runtime_api_client=info,\
    aws_sigv4=warn,aws_runtime=warn,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,\
    hyper=warn,hyper_util=warn,rustls=warn";

/// Starts logging at `LOG_LEVEL` (`info` where it is not set): a level, or several with their targets, such as
/// `warn,ordersync=info`. There is nothing below `info` in a release build. A panic becomes a log line that says where it
/// happened, and not what data it met.
#[expect(clippy::print_stderr, reason = "there is no log yet to say it in")]
pub fn start() {
    let level = variable("LOG_LEVEL").unwrap_or_else(|| "info".into()).to_ascii_lowercase();
    if let Err(error) = tracing::subscriber::set_global_default(Log::new(targets(&level))) {
        eprintln!("logging was started before: {error}");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic at {place}");
    }));
}

/// What is logged at `level`: at `info`, where it says nothing of all targets or cannot be read.
fn targets(level: &str) -> Targets {
    let parse = |level: &str| format!("info,{level}{QUIET}").parse().ok();
    parse(&format!("{level},")).or_else(|| parse("")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::targets;

    #[test]
    fn what_others_say_of_whole_requests_is_left_out_at_every_level() {
        for (level, target, at, expected) in [
            ("info", "ordersync::queue", Level::INFO, true),
            ("info", "ordersync::queue", Level::DEBUG, false),
            ("warn,ordersync=debug", "ordersync::queue", Level::DEBUG, true),
            ("warn,ordersync=debug", "intake", Level::INFO, false),
            ("ordersync=debug", "intake", Level::INFO, true),
            ("warning", "intake", Level::INFO, true),
            ("warning", "intake", Level::DEBUG, false),
            ("intake=much", "intake", Level::INFO, true),
            ("off", "intake", Level::ERROR, false),
            ("trace", "aws_smithy_runtime::client", Level::INFO, false),
            ("trace", "intake", Level::TRACE, true),
            ("trace", "lambda_runtime::layers::panic", Level::ERROR, false),
            ("trace", "hyper::proto", Level::DEBUG, false),
        ] {
            assert_eq!(targets(level).would_enable(target, &at), expected, "{level}: {target} {at}");
        }
    }
}
