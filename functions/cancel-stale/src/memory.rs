//! What the function remembers from run to run, as long as its instance lives. Nothing depends on it but how often
//! something is said or asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ordersync::ledger::ExportKey;

/// Orders remembered at most.
const MOST_ORDERS: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    throttled: Mutex<BTreeMap<String, Timestamp>>,
    reported: Mutex<BTreeSet<(String, String)>>,
}

impl Memory {
    /// Notes that a shop is not to be called before then.
    pub(crate) fn throttle(&self, shop: &str, until: Timestamp) {
        locked(&self.throttled).insert(shop.to_owned(), until);
    }

    /// Whether a shop has asked not to be called now.
    pub(crate) fn is_throttled(&self, shop: &str, now: Timestamp) -> bool {
        locked(&self.throttled).get(shop).is_some_and(|until| *until > now)
    }

    /// Whether it is the first time that an order is reported on.
    pub(crate) fn is_news(&self, order: &ExportKey) -> bool {
        let mut reported = locked(&self.reported);
        if reported.len() >= MOST_ORDERS {
            reported.clear();
        }
        reported.insert((order.shop.clone(), order.order_id.clone()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_news_once_and_what_is_remembered_is_bounded() {
        let memory = Memory::default();
        let key = |n: usize| ExportKey::new("acme", &n.to_string(), "erp");
        assert!(memory.is_news(&key(0)));
        assert!(!memory.is_news(&ExportKey::new("acme", "0", "wms")), "the order, not the export");
        assert!(memory.is_news(&ExportKey::new("other", "0", "erp")));
        for n in 0..3 * MOST_ORDERS {
            memory.is_news(&key(n));
        }
        assert!(locked(&memory.reported).len() <= MOST_ORDERS);
    }

    #[test]
    fn a_shop_is_throttled_until_the_time_that_it_names() {
        let (memory, at) = (Memory::default(), |second| Timestamp::from_second(second).unwrap());
        memory.throttle("acme", at(10));
        assert!(memory.is_throttled("acme", at(9)) && !memory.is_throttled("acme", at(10)));
        assert!(!memory.is_throttled("other", at(9)));
    }
}
