//! What a webhook means that carries the whole order: the event that it says, and what the order itself tells.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Event, Identity};
use crate::order::Order;

/// Words of the platforms for a payment or an order of which money was given back, in lower case: Shopify's
/// `financial_status`, the state of Shopware's transactions, the status of `WooCommerce` and `BigCommerce`.
const REFUNDED: [&str; 4] = ["refunded", "partially_refunded", "refunded_partially", "partially refunded"];

/// `BigCommerce`'s word for a checkout that was not finished; there are webhooks about these too.
const UNFINISHED: &str = "incomplete";

/// The events that a webhook stands for which says `said` and carries `order`.
///
/// `WooCommerce`, and Shopify's `orders/updated`, only say that something changed: what it was stands in the order. And
/// a webhook may arrive late, so that an order that was placed is cancelled by the time it is read: then it is neither
/// placed, paid nor updated any more, for nobody is to work on it.
pub fn events(said: Event, order: &Order) -> BTreeSet<Event> {
    let is_finished = !order.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case(UNFINISHED));
    let mut events = BTreeSet::from([if said == Event::Placed && !is_finished { Event::Updated } else { said }]);
    if is_refunded(order) {
        events.insert(Event::Refunded);
    }
    if order.canceled || said == Event::Canceled {
        events.retain(|event| !matches!(event, Event::Placed | Event::Paid | Event::Updated));
        events.insert(Event::Canceled);
    } else if order.payment.paid {
        events.insert(Event::Paid);
    }
    events
}

/// When the shop said what a webhook says: its own time of the order's last change, else that of the event. Where it
/// states neither, an order that was just placed is as it was then, however late or often that arrives; of any other
/// event intake's time is all there is.
pub fn told_at(identity: &Identity, order: Option<&Order>, received_at: Timestamp) -> Timestamp {
    let placed_at = order.filter(|_| identity.event == Event::Placed).map(|order| order.placed_at);
    order.and_then(|order| order.updated_at).or(identity.occurred_at).or(placed_at).unwrap_or(received_at)
}

fn is_refunded(order: &Order) -> bool {
    let words = [&order.payment.state, &order.state].into_iter().flatten();
    words.into_iter().any(|word| REFUNDED.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Payment;
    use crate::template::sample;

    #[test]
    fn a_checkout_that_is_not_finished_is_no_order_placed() {
        let order = Order { state: Some("Incomplete".into()), payment: Payment::default(), ..sample::order() };
        assert_eq!(events(Event::Placed, &order), BTreeSet::from([Event::Updated]));
        assert_eq!(events(Event::Canceled, &order), BTreeSet::from([Event::Canceled]));
    }

    #[test]
    fn the_shops_own_time_counts_and_what_was_placed_is_as_it_was_then() {
        let at = |hour: i64| Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap();
        let (placed, occurred, updated, received) = (at(0), at(1), at(2), at(9));
        for (event, updated_at, occurred_at, expected) in [
            (Event::Placed, Some(updated), Some(occurred), updated),
            (Event::Placed, None, Some(occurred), occurred),
            (Event::Placed, None, None, placed),
            (Event::Paid, Some(updated), None, updated),
            (Event::Paid, None, None, received),
        ] {
            let (order_id, topic, delivery_id) = ("1".to_owned(), event.name().to_owned(), None);
            let identity = Identity { order_id, topic, event, delivery_id, occurred_at };
            let order = Order { placed_at: placed, updated_at, ..sample::order() };
            assert_eq!(told_at(&identity, Some(&order), received), expected, "{event} {updated_at:?} {occurred_at:?}");
            assert_eq!(told_at(&identity, None, received), occurred_at.unwrap_or(received), "{event}");
        }
    }

    #[test]
    fn an_order_tells_what_the_webhook_does_not_say() {
        use Event::{Canceled, Paid, Placed, Refunded, Updated};
        for (said, paid, canceled, expected) in [
            (Placed, false, false, &[Placed][..]),
            (Placed, true, false, &[Placed, Paid]),
            (Placed, false, true, &[Canceled]),
            (Placed, true, true, &[Canceled]),
            (Paid, true, false, &[Paid]),
            (Paid, false, false, &[Paid]),
            (Paid, true, true, &[Canceled]),
            (Updated, false, false, &[Updated]),
            (Updated, true, false, &[Updated, Paid]),
            (Updated, true, true, &[Canceled]),
            (Refunded, true, false, &[Refunded, Paid]),
            (Refunded, true, true, &[Refunded, Canceled]),
            (Canceled, false, true, &[Canceled]),
            // An order that the platform deletes keeps the state that it had.
            (Canceled, true, false, &[Canceled]),
        ] {
            let payment = Payment { paid, ..Payment::default() };
            let order = Order { payment, canceled, ..sample::order() };
            let expected: BTreeSet<Event> = expected.iter().copied().collect();
            assert_eq!(events(said, &order), expected, "{said} {paid} {canceled}");
        }
    }
}
