//! Orders of a given size: the samples with items left out or repeated, and a note that fills them up to the byte.

use serde_json::{Map, Value, json};

use super::Size;

/// A sample that cannot be made into an order.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It is not JSON, or lacks what an order has.
    #[error("the sample of {sender}: {reason}")]
    Sample {
        /// Whose sample it is.
        sender: &'static str,
        /// What was expected.
        reason: String,
    },
    /// Even without items it is larger than that.
    #[error("an order of {sender} does not get as small as {bytes} bytes")]
    TooLarge {
        /// Whose sample it is.
        sender: &'static str,
        /// The size.
        bytes: usize,
    },
}

const SHOPIFY: &str = include_str!("../../../../events/webhooks/shopify.json");
const STANDARD: &str = include_str!("../../work/order.json");
/// What notes are made of.
const WORDS: &str = "Bitte beim Nachbarn abgeben, danke! ";

/// What a Shopify webhook of 2 KB is narrowed down to, as a subscription's `include_fields` does.
const SHOPIFY_FIELDS: [&str; 22] = [
    "id",
    "admin_graphql_api_id",
    "confirmed",
    "created_at",
    "currency",
    "email",
    "financial_status",
    "name",
    "note",
    "number",
    "order_number",
    "payment_gateway_names",
    "processed_at",
    "subtotal_price",
    "test",
    "token",
    "total_price",
    "total_tax",
    "updated_at",
    "billing_address",
    "shipping_address",
    "line_items",
];
const SHOPIFY_ITEM_FIELDS: [&str; 8] =
    ["id", "name", "price", "product_id", "quantity", "sku", "total_discount", "variant_id"];

/// The body of a Shopify webhook for the order of a number.
///
/// # Errors
/// The sample is not as expected.
pub fn shopify(size: Size, number: u64) -> Result<String, OrderError> {
    let sender = "Shopify";
    let mut order = object(sender, SHOPIFY)?;
    let id = 9_131_072_000_000_000_000 + number;
    order.insert("id".into(), json!(id));
    order.insert("admin_graphql_api_id".into(), json!(format!("gid://shopify/Order/{id}")));
    order.insert("name".into(), json!(format!("#N{number}")));
    order.insert("order_number".into(), json!(number));
    if size == Size::Two {
        order.retain(|name, _| SHOPIFY_FIELDS.contains(&name.as_str()));
        for item in order.get_mut("line_items").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                item.retain(|name, _| SHOPIFY_ITEM_FIELDS.contains(&name.as_str()));
            }
        }
    }
    fill(sender, &mut order, "line_items", size.bytes())?;
    serialized(sender, &order)
}

/// The body of a Standard Webhooks message for the order of a number; `number_is_id` has both say the same.
///
/// # Errors
/// The sample is not as expected.
pub fn standard(size: Size, number: u64, number_is_id: bool) -> Result<String, OrderError> {
    let sender = "Standard Webhooks";
    let mut message = object(sender, STANDARD)?;
    let mut order = message.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    order.insert("id".into(), json!(format!("ord_01K1FICTIONAL{number:08}")));
    order.insert("number".into(), json!(format!("2026-{number:08}")));
    if number_is_id {
        let id = order.get("id").cloned().unwrap_or_default();
        order.insert("number".into(), id);
    }
    message.insert("data".into(), json!({}));
    let around = serialized(sender, &message)?.len() - "{}".len();
    fill(sender, &mut order, "items", size.bytes() - around)?;
    message.insert("data".into(), Value::Object(order));
    serialized(sender, &message)
}

/// Has the order as many items as fit into so many bytes, at least one, and a note that takes the rest.
fn fill(sender: &'static str, order: &mut Map<String, Value>, items: &str, bytes: usize) -> Result<(), OrderError> {
    let samples = order.get(items).and_then(Value::as_array).cloned().unwrap_or_default();
    order.insert(items.into(), json!([]));
    order.insert("note".into(), json!(""));
    let mut room = bytes.checked_sub(serialized(sender, order)?.len()).ok_or(OrderError::TooLarge { sender, bytes })?;
    let mut filled = Vec::new();
    for (at, sample) in (0_u64..).zip(samples.iter().cycle()) {
        let mut item = sample.clone();
        if let Some(id) = item.get("id").and_then(Value::as_u64) {
            item["id"] = json!(id + at);
        }
        let length = item.to_string().len() + usize::from(at > 0);
        if length > room {
            break;
        }
        room -= length;
        filled.push(item);
    }
    if filled.is_empty() {
        return Err(OrderError::TooLarge { sender, bytes });
    }
    order.insert(items.into(), Value::Array(filled));
    order.insert("note".into(), Value::String(WORDS.chars().cycle().take(room).collect()));
    Ok(())
}

fn object(sender: &'static str, sample: &str) -> Result<Map<String, Value>, OrderError> {
    serde_json::from_str(sample).map_err(|error| OrderError::Sample { sender, reason: error.to_string() })
}

fn serialized(sender: &'static str, value: &Map<String, Value>) -> Result<String, OrderError> {
    serde_json::to_string(value).map_err(|error| OrderError::Sample { sender, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_have_their_size_to_the_byte_and_an_identifier_each() {
        for size in Size::ALL {
            let (one, other) = (shopify(size, 1).unwrap(), shopify(size, 2).unwrap());
            assert_eq!(one.len(), size.bytes());
            assert_ne!(one, other);
            assert_eq!(one, shopify(size, 1).unwrap());
            let order = standard(size, 7, false).unwrap();
            assert_eq!(order.len(), size.bytes());
            assert!(order.contains("\"ord_01K1FICTIONAL00000007\"") && order.contains("\"2026-00000007\""));
            let order: Value = serde_json::from_str(&standard(size, 7, true).unwrap()).unwrap();
            assert_eq!(order["data"]["id"], order["data"]["number"]);
        }
    }
}
