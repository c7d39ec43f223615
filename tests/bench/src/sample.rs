//! Orders of a wanted size, made from the sample webhooks: the same ones every time.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A platform's webhook.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The platform.
    pub platform: &'static str,
    /// The webhook's body.
    pub body: Vec<u8>,
}

/// The sample order of a platform with as many of its lines as it takes to come nearest to `bytes` from below.
///
/// # Panics
/// The sample is not there, or has no list of lines where its platform has it.
pub fn order(platform: &'static str, bytes: usize) -> Sample {
    let lines = match platform {
        "shopify" => "/line_items",
        "standard-webhooks" => "/data/items",
        other => panic!("no sample of {other} can be resized"),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/webhooks/{platform}.json"));
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut document: Value = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{platform}: {error}"));
    let Some(list) = document.pointer_mut(lines).and_then(Value::as_array_mut) else {
        panic!("{platform}: expected a list at {lines}");
    };
    let kinds = std::mem::take(list);
    let empty = document.to_string().len();
    let mut size = empty;
    let fits = kinds.iter().cycle().take_while(|line| {
        size += line.to_string().len() + 1;
        size <= bytes
    });
    let mut chosen: Vec<Value> = fits.cloned().collect();
    if chosen.is_empty() {
        chosen.extend(kinds.first().cloned());
    }
    if let Some(list) = document.pointer_mut(lines) {
        *list = Value::Array(chosen);
    }
    Sample { platform, body: document.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn an_order_has_the_wanted_size() {
        for (platform, bytes, least) in
            [("shopify", 10_000, 7_000), ("shopify", 100_000, 95_000), ("standard-webhooks", 10_000, 9_500)]
        {
            let size = order(platform, bytes).body.len();
            assert!((least..=bytes).contains(&size), "{platform}: {size}");
        }
    }
}
