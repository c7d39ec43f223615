//! Shops that can be called back: orders in memory, answers as the platforms document them.

mod answers;
mod documents;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use super::receiver::Receiver;

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Magento,
    Shopify,
    WooCommerce,
    Shopware,
    BigCommerce,
    /// `GET /orders/{id}` and `POST /orders/{id}/cancel`, in the words of our own order.
    Generic,
}

impl Kind {
    /// The secret that its shops accept, as a configuration names one.
    pub(crate) fn secret(self) -> &'static str {
        match self {
            Self::WooCommerce | Self::Shopware => "it-key:it-secret-of-the-shop",
            _ => "it-token-of-the-shop",
        }
    }

    /// The header by which its shops know us; Shopware's has a token that it gave itself.
    fn credential(self) -> (&'static str, &'static str) {
        match self {
            Self::Magento | Self::Generic => ("authorization", "Bearer it-token-of-the-shop"),
            Self::Shopify => ("x-shopify-access-token", "it-token-of-the-shop"),
            Self::WooCommerce => ("authorization", "Basic aXQta2V5Oml0LXNlY3JldC1vZi10aGUtc2hvcA=="),
            Self::Shopware => ("authorization", "Bearer it-token-from-shopware"),
            Self::BigCommerce => ("x-auth-token", "it-token-of-the-shop"),
        }
    }
}

/// One order in the shop's books.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// What the platform's API answers for it; for Shopify the fields of its GraphQL type.
    document: Value,
    /// BigCommerce has these apart.
    products: Vec<Value>,
    addresses: Vec<Value>,
    /// Why it is not cancelled.
    refusal: Option<String>,
    /// A payment comes in just before the cancellation.
    is_paid_at_last: bool,
}

#[derive(Debug, Default)]
struct Books {
    orders: BTreeMap<String, Entry>,
    /// What was asked, in order: `state 5501`, `cancel 5501`, `progress 5501`, `fetch 5501`, `token`.
    calls: Vec<String>,
    /// How many of the next calls are turned away as too many.
    throttled: usize,
}

/// A shop on a port of its own.
pub(crate) struct FakeShop {
    kind: Kind,
    books: Arc<Mutex<Books>>,
    _receiver: Receiver,
}

impl FakeShop {
    /// A shop without orders at `http://127.0.0.1:{port}`.
    pub(crate) fn start(kind: Kind, port: u16) -> Self {
        let books: Arc<Mutex<Books>> = Arc::default();
        let kept = Arc::clone(&books);
        let receiver =
            Receiver::start(port, move |_, request| answers::answer(kind, &mut kept.lock().unwrap(), request));
        Self { kind, books, _receiver: receiver }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Has an order that waits for its payment.
    pub(crate) fn place(&self, id: &str, method: &str) {
        self.put(id, documents::unpaid(self.kind, id, method));
    }

    /// Has an order as the platform's API answers it.
    pub(crate) fn put(&self, id: &str, document: Value) {
        self.books().orders.insert(id.to_owned(), Entry { document, ..Entry::default() });
    }

    /// Gives an order of BigCommerce its products and shipping addresses.
    pub(crate) fn fill(&self, id: &str, products: Vec<Value>, addresses: Vec<Value>) {
        self.change(id, |entry| (entry.products, entry.addresses) = (products, addresses));
    }

    /// The payment of an order comes in.
    pub(crate) fn pay(&self, id: &str) {
        self.change(id, |entry| documents::pay(self.kind, &mut entry.document));
    }

    /// The payment of an order comes in just before it is cancelled, after anyone looked.
    pub(crate) fn pay_at_last(&self, id: &str) {
        self.change(id, |entry| entry.is_paid_at_last = true);
    }

    /// The shop cancels an order itself.
    pub(crate) fn cancel(&self, id: &str) {
        self.change(id, |entry| documents::cancel(self.kind, &mut entry.document));
    }

    /// An order is not cancelled, for a reason that platforms with words for it give.
    pub(crate) fn refuse(&self, id: &str, reason: &str) {
        self.change(id, |entry| entry.refusal = Some(reason.to_owned()));
    }

    /// Turns away the next calls as too many.
    pub(crate) fn throttle(&self, calls: usize) {
        self.books().throttled = calls;
    }

    /// Whether an order is cancelled in the shop's books.
    pub(crate) fn is_canceled(&self, id: &str) -> bool {
        documents::is_canceled(self.kind, &self.books().orders[id].document)
    }

    /// Every call so far: `state 5501`, `cancel 5501`, `progress 5501`, `fetch 5501`; `token`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.books().calls.clone()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Entry)) {
        change(self.books().orders.get_mut(id).unwrap_or_else(|| panic!("there is no order {id}")));
    }
}
