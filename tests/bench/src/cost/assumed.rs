//! What the bench cannot count, and is taken as this. The page lists every one of them.

use serde::Serialize;

/// Assumptions of the cost table. Each is said on the page too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Assumed {
    /// Hours of a month, as AWS's calculator counts them.
    pub hours: f64,
    /// Memory of intake in MB, as in `template.yaml`.
    pub intake_mb: f64,
    /// Memory of the processor in MB, as in `template.yaml`.
    pub processor_mb: f64,
    /// Memory at which a function has one whole vCPU.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
    pub vcpu_mb: f64,
    /// Milliseconds until SQS has taken a message.
    pub send_ms: f64,
    /// Milliseconds after which every call of the processor is answered in the bench's measurement of a batch.
    pub call_ms: f64,
    /// Milliseconds until the ledger has answered. AWS: single-digit milliseconds.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html>
    pub ledger_ms: f64,
    /// Milliseconds until the merchant's endpoint has answered.
    pub destination_ms: f64,
    /// How many of all invocations begin with a new environment. AWS: under 1 %.
    /// <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase>
    pub cold_share: f64,
    /// Bytes of a message besides the webhook's body: attributes with their names.
    pub attribute_bytes: f64,
    /// Payload that one request to SQS covers. <https://aws.amazon.com/sqs/pricing/>
    pub chunk_bytes: f64,
    /// Bytes of storage that each item of a table or index has besides its own.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub item_overhead_bytes: f64,
    /// Bytes of an entry of the index by number: its keys.
    pub entry_bytes: f64,
    /// Bytes that Lambda logs of one invocation: START, END, REPORT and the trace.
    pub platform_log_bytes: f64,
    /// Bytes of an entry of the endpoint's access log.
    pub access_log_bytes: f64,
    /// What is left of log lines once they are compressed for storage.
    pub log_compression: f64,
    /// Months that logs are kept, `LogRetentionDays` = 30.
    pub log_months: f64,
    /// Months that exports and rows are kept, `LedgerRetentionDays` = 365.
    pub kept_months: f64,
    /// How much busier the busiest second is than the average of a month.
    pub peak: f64,
}

/// One GB, as AWS bills it.
pub const GB: f64 = 1024.0 * 1024.0 * 1024.0;

/// What Lambda writes of an invocation, with the figures of an ordinary one.
/// <https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html>
const PLATFORM_LOG: &str = "START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST\n\
    END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\n\
    REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 12.34 ms\tBilled Duration: 13 ms\t\
    Memory Size: 256 MB\tMax Memory Used: 24 MB\t\n\
    XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n";

/// An entry of the access log, in the form of `template.yaml`.
const ACCESS_LOG: &str = r#"{"time":"01/Aug/2026:12:00:00 +0000","request_id":"HnT1kFictional=","method":"POST","path":"/webhooks/acme-eu","route":"ANY /webhooks/{shop}","status":"202","latency_ms":"18","integration_status":"202","integration_latency_ms":"16","integration_error":"-","response_bytes":"98","error":"-"}"#;

/// What the tables are computed with.
pub const ASSUMED: Assumed = Assumed {
    hours: 730.0,
    intake_mb: 256.0,
    processor_mb: 512.0,
    vcpu_mb: 1769.0,
    send_ms: 10.0,
    call_ms: 20.0,
    ledger_ms: 5.0,
    destination_ms: 150.0,
    cold_share: 0.01,
    attribute_bytes: 1024.0,
    chunk_bytes: 65_536.0,
    item_overhead_bytes: 100.0,
    entry_bytes: 200.0,
    platform_log_bytes: bytes(PLATFORM_LOG),
    access_log_bytes: bytes(ACCESS_LOG),
    log_compression: 0.15,
    log_months: 1.0,
    kept_months: 12.0,
    peak: 10.0,
};

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
const fn bytes(text: &str) -> f64 {
    text.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../../template.yaml");

    /// The part of the template that describes a resource.
    fn resource(name: &str) -> &'static str {
        let begin = TEMPLATE.find(&format!("\n  {name}:\n")).unwrap();
        let rest = &TEMPLATE[begin + 1..];
        let end = rest.match_indices("\n  ").find(|(at, _)| !rest[at + 3..].starts_with([' ', '#'])).map(|(at, _)| at);
        &rest[..end.unwrap_or(rest.len())]
    }

    #[test]
    fn memory_and_retention_are_the_templates() {
        for (function, mb) in [("IntakeFunction", ASSUMED.intake_mb), ("ProcessorFunction", ASSUMED.processor_mb)] {
            assert!(resource(function).contains(&format!("MemorySize: {mb}\n")), "{function}");
        }
        assert!(resource("LogRetentionDays").contains("Default: 30\n"));
        assert!(resource("LedgerRetentionDays").contains("Default: 365\n"));
        assert!(resource("BatchSize").contains("Default: 10\n"));
        assert!(resource("BatchWindow").contains("Default: 0\n"));
    }

    #[test]
    fn the_access_log_has_the_members_that_the_template_asks_for() {
        let format = resource("ApiStage");
        let members = |text: &str| text.matches("\":\"").count();
        assert_eq!(members(ACCESS_LOG), members(format));
    }
}
