//! What Shopify's GraphQL API answers: `data`, or `errors` with HTTP 200 all the same.
//! <https://shopify.dev/docs/api/admin-graphql#status_and_error_codes>

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::super::ShopFailure;
use super::super::remote::Reply;

/// Shortest and longest wait for a bucket to fill up. A bucket is full after less than a minute on every plan.
/// <https://shopify.dev/docs/api/usage/limits>
const WAIT: std::ops::RangeInclusive<f64> = 1.0..=60.0;

#[derive(Deserialize)]
struct Envelope {
    data: Option<Value>,
    errors: Option<Value>,
    #[serde(default)]
    extensions: Value,
}

/// `data` of an answer without errors.
pub(super) fn data(reply: &Reply) -> Result<Value, ShopFailure> {
    let answer: Envelope = reply.json("a GraphQL answer")?;
    match answer.errors {
        Some(errors) if !is_empty(&errors) => Err(failure(&codes(&errors), &answer.extensions)),
        _ => answer.data.filter(|data| !data.is_null()).ok_or_else(|| reply.malformed("data or errors")),
    }
}

fn is_empty(errors: &Value) -> bool {
    errors.is_null() || errors.as_array().is_some_and(Vec::is_empty)
}

/// The codes of all errors; an error without one counts as one that is not known.
fn codes(errors: &Value) -> Vec<&str> {
    let list = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|error| error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_default()).collect()
}

/// The message has the codes only: Shopify's own texts repeat what was asked.
fn failure(codes: &[&str], extensions: &Value) -> ShopFailure {
    if codes.contains(&"THROTTLED") {
        return ShopFailure::Throttled { after: wait(extensions) };
    }
    let is_code = |code: &&str| {
        !code.is_empty() && code.len() <= 60 && code.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
    };
    let known: Vec<&str> = codes.iter().copied().filter(is_code).collect();
    let said = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let what = format!("Shopify answered with errors{said}");
    if codes.iter().any(|code| matches!(*code, "INTERNAL_SERVER_ERROR" | "TIMEOUT")) {
        return ShopFailure::Unavailable(what);
    }
    ShopFailure::Refused(match codes.first() {
        Some(&"ACCESS_DENIED") => format!("{what}: the token lacks a scope"),
        Some(&"SHOP_INACTIVE") => format!("{what}: the shop is not active"),
        _ => what,
    })
}

/// Until the bucket holds what the query costs.
fn wait(extensions: &Value) -> Duration {
    let number = |path: &str| extensions.pointer(&format!("/cost/{path}")).and_then(Value::as_f64);
    let cost = number("requestedQueryCost").unwrap_or_default();
    let available = number("throttleStatus/currentlyAvailable").unwrap_or_default();
    let rate = number("throttleStatus/restoreRate").filter(|rate| *rate > 0.0);
    let seconds = rate.map_or(*WAIT.start(), |rate| (cost - available) / rate);
    Duration::from_secs_f64(seconds.clamp(*WAIT.start(), *WAIT.end()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_wait_lets_the_bucket_fill_up() {
        let cost = |cost: f64, available: f64, rate: f64| {
            json!({"cost": {"requestedQueryCost": cost, "throttleStatus": {
                "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}}})
        };
        for (extensions, seconds) in [
            (cost(752.0, 252.0, 50.0), 10),
            (cost(12.0, 11.0, 100.0), 1),
            (cost(12.0, 900.0, 100.0), 1),
            (cost(1e300, 0.0, 1.0), 60),
            (cost(12.0, 0.0, 0.0), 1),
            (json!({"cost": null}), 1),
            (json!(null), 1),
        ] {
            assert_eq!(wait(&extensions), Duration::from_secs(seconds), "{extensions}");
        }
    }

    #[test]
    fn codes_decide_and_messages_are_not_repeated() {
        let errors = |code: &str| json!([{"message": "about kaethe@example.com", "extensions": {"code": code}}]);
        for (errors, expected) in [
            (errors("ACCESS_DENIED"), "Shopify answered with errors (ACCESS_DENIED): the token lacks a scope"),
            (errors("SHOP_INACTIVE"), "Shopify answered with errors (SHOP_INACTIVE): the shop is not active"),
            (errors("undefinedField"), "Shopify answered with errors (undefinedField)"),
            (errors("no code, but prose"), "Shopify answered with errors"),
            (json!([{"message": "x"}]), "Shopify answered with errors"),
            (json!("[API] Invalid API key"), "Shopify answered with errors"),
        ] {
            assert_eq!(failure(&codes(&errors), &json!({})), ShopFailure::Refused(expected.into()));
        }
        let internal = errors("INTERNAL_SERVER_ERROR");
        let expected = ShopFailure::Unavailable("Shopify answered with errors (INTERNAL_SERVER_ERROR)".into());
        assert_eq!(failure(&codes(&internal), &json!({})), expected);
    }
}
