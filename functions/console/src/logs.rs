//! Links to the log lines about an order.

use ordersync::pipeline::idempotency_key;

/// The log groups of the functions, and where they are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logs {
    pub(crate) region: String,
    pub(crate) groups: Vec<String>,
}

impl Logs {
    /// The address at which `CloudWatch` Logs Insights shows what the functions have logged about an order in the last week.
    /// Its form is that of the addresses which the console of AWS makes itself: values in a notation of its own, escaped by
    /// `*`, and the whole of it by `$`.
    pub(crate) fn of(&self, shop: &str, order: &str) -> String {
        let query = format!(
            "fields @timestamp, level, function, export, message, error\n| filter shop = {0} and order_id = {1} or export like {2}\n| sort @timestamp desc\n| limit 500",
            quoted(shop),
            quoted(order),
            quoted(&idempotency_key(shop, order, "")),
        );
        let groups = self.groups.iter().map(|group| format!("~'{}", escaped(group))).collect::<Vec<_>>().concat();
        let detail = format!(
            "~(end~0~start~-604800~timeType~'RELATIVE~unit~'seconds~editorString~'{}~source~({groups}))",
            escaped(&query)
        );
        let Self { region, .. } = self;
        format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:logs-insights$3FqueryDetail$3D{detail}"
        )
    }
}

/// A text of the query language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match char::from(byte) {
        kept if kept.is_ascii_alphanumeric() || "-_.".contains(kept) => kept.to_string(),
        _ => format!("*{byte:02x}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_asks_for_the_lines_of_one_order() {
        let logs = Logs {
            region: "eu-central-1".into(),
            groups: vec!["/aws/lambda/acme-processor".into(), "/aws/lambda/acme-intake".into()],
        };
        let link = logs.of("acme-eu", "a\"b");
        assert!(link.starts_with(
            "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:logs-insights$3F"
        ));
        assert!(
            link.ends_with("~source~(~'*2faws*2flambda*2facme-processor~'*2faws*2flambda*2facme-intake))"),
            "{link}"
        );
        assert!(link.contains("order_id*20*3d*20*22a*5c*22b*22"), "{link}");
        assert!(!link.contains(['"', '<', ' ']));
    }
}
