//! What a platform's topic says has happened.

use super::Event;

/// Topics whose body is a refund that names its order: of Shopify, and of Magento's modules.
const REFUNDS: [&str; 4] = [
    "refunds/create",
    "sales.creditmemo.created",
    "sales_order_creditmemo_refund",
    "sales_order_creditmemo_save_after",
];

/// What happened to an order, from the platform's word for it; nothing when the topic is not about an order.
///
/// Understood are `orders/create`, `order.created`, `sales.order.paid`, `checkout.order.placed`,
/// `state_enter.order_transaction.state.paid`, `order_placed`, `OrderPlaced` and our own event names.
pub(super) fn event(topic: &str) -> Option<Event> {
    let topic = topic.trim().to_ascii_lowercase();
    if REFUNDS.contains(&topic.as_str()) {
        return Some(Event::Refunded);
    }
    let words: Vec<&str> = topic.split(['/', '.', ':']).filter(|word| !word.is_empty() && *word != "state").collect();
    match words.as_slice() {
        [] => None,
        [word] => single_word(word),
        [path @ .., verb] => of_path(path, verb),
    }
}

/// `paid`, `order_paid`, `order-paid` or `orderpaid`.
fn single_word(word: &str) -> Option<Event> {
    let prefixes = ["sales_order", "orders", "order"];
    let Some(rest) = prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)) else { return of_verb(word) };
    match rest.strip_prefix(['_', '-']) {
        Some(verb) => of_verb(verb).or(Some(Event::Updated)),
        None => of_verb(rest),
    }
}

/// A verb after the path to what it is about. Only of the order itself can it be said that it was placed or
/// cancelled: `order.item.created` changes an order.
fn of_path(path: &[&str], verb: &str) -> Option<Event> {
    let is_order = |word: &&str| matches!(*word, "order" | "orders" | "sales_order");
    // Shopware's name for an order's payments and shipments. Shopify's `order_transactions/create` is none of them:
    // its body is a transaction.
    let belongs_to_order = |word: &&str| matches!(*word, "order_transaction" | "order_delivery");
    if !path.iter().any(|word| is_order(word) || belongs_to_order(word)) {
        return None;
    }
    // Shopware: leaving the state "paid" is not being paid.
    if path.first() == Some(&"state_leave") {
        return Some(Event::Updated);
    }
    let event = of_verb(verb).unwrap_or(Event::Updated);
    let about = path.last();
    let is_payment = matches!(about, Some(&"order_transaction" | &"transaction" | &"payment"));
    let is_refund = matches!(about, Some(&"refund" | &"refunds" | &"creditmemo"));
    Some(match event {
        event if about.is_some_and(is_order) => event,
        Event::Paid | Event::Refunded if is_payment => event,
        Event::Placed if is_refund => Event::Refunded,
        _ => Event::Updated,
    })
}

fn of_verb(verb: &str) -> Option<Event> {
    match verb {
        "create" | "created" | "place" | "placed" | "place_after" | "new" => Some(Event::Placed),
        "paid" => Some(Event::Paid),
        // A deleted order is one that must not be worked on either.
        "cancel" | "canceled" | "cancelled" | "delete" | "deleted" => Some(Event::Canceled),
        "refund" | "refunded" | "refunded_partially" | "partially_refunded" => Some(Event::Refunded),
        "update" | "updated" => Some(Event::Updated),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_say_what_happened() {
        use Event::{Canceled, Paid, Placed, Refunded, Updated};
        for (topic, expected) in [
            // Shopify
            ("orders/create", Some(Placed)),
            ("orders/paid", Some(Paid)),
            ("orders/cancelled", Some(Canceled)),
            ("orders/delete", Some(Canceled)),
            ("orders/updated", Some(Updated)),
            ("orders/edited", Some(Updated)),
            ("orders/fulfilled", Some(Updated)),
            ("orders/partially_fulfilled", Some(Updated)),
            ("refunds/create", Some(Refunded)),
            ("order_transactions/create", None),
            ("draft_orders/create", None),
            ("fulfillment_orders/cancelled", None),
            ("products/create", None),
            ("customers/data_request", None),
            // WooCommerce
            ("order.created", Some(Placed)),
            ("order.updated", Some(Updated)),
            ("order.deleted", Some(Canceled)),
            ("order.restored", Some(Updated)),
            ("product.created", None),
            ("action.woocommerce_add_to_cart", None),
            // Magento
            ("sales.order.created", Some(Placed)),
            ("sales.order.updated", Some(Updated)),
            ("sales.order.paid", Some(Paid)),
            ("sales.order.shipped", Some(Updated)),
            ("sales.order.cancelled", Some(Canceled)),
            ("sales.order.refunded", Some(Refunded)),
            ("sales.creditmemo.created", Some(Refunded)),
            ("sales_order_creditmemo_save_after", Some(Refunded)),
            ("sales_order_creditmemo_refund", Some(Refunded)),
            ("sales.creditmemo.updated", None),
            ("sales.invoice.paid", None),
            ("sales_order_place_after", Some(Placed)),
            ("sales_order_save_after", Some(Updated)),
            // Shopware
            ("checkout.order.placed", Some(Placed)),
            ("checkout.order.payment_method.changed", Some(Updated)),
            ("state_enter.order.state.cancelled", Some(Canceled)),
            ("state_enter.order.state.completed", Some(Updated)),
            ("state_enter.order_transaction.state.paid", Some(Paid)),
            ("state_enter.order_transaction.state.paid_partially", Some(Updated)),
            ("state_enter.order_transaction.state.refunded", Some(Refunded)),
            ("state_enter.order_transaction.state.refunded_partially", Some(Refunded)),
            ("state_leave.order_transaction.state.refunded", Some(Updated)),
            ("state_enter.order_transaction_capture_refund.state.completed", None),
            ("state_enter.order_transaction.state.cancelled", Some(Updated)),
            ("state_enter.order_delivery.state.cancelled", Some(Updated)),
            ("state_leave.order_transaction.state.paid", Some(Updated)),
            ("checkout.customer.register", None),
            ("app.installed", None),
            // Anyone
            ("order.placed", Some(Placed)),
            ("ORDER_PLACED", Some(Placed)),
            ("OrderPlaced", Some(Placed)),
            ("order-paid", Some(Paid)),
            ("com.example.order.canceled", Some(Canceled)),
            ("order.payment.paid", Some(Paid)),
            ("order.refunded", Some(Refunded)),
            ("order_refunded", Some(Refunded)),
            ("order.payment.refunded", Some(Refunded)),
            ("order.refund.created", Some(Refunded)),
            ("order.refund.deleted", Some(Updated)),
            ("refund.created", None),
            ("order.item.created", Some(Updated)),
            ("orderly.created", None),
            ("placed", Some(Placed)),
            ("paid", Some(Paid)),
            ("updated", Some(Updated)),
            ("refunded", Some(Refunded)),
            ("canceled", Some(Canceled)),
            ("cancelled", Some(Canceled)),
            ("order", None),
            ("ping", None),
            ("...", None),
            ("", None),
        ] {
            assert_eq!(event(topic), expected, "{topic}");
        }
    }
}
