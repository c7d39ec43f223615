//! Calls back to shops that behave as their platforms, one platform after the other, with the clients of the functions.

use std::sync::Arc;
use std::time::Duration;

use ordersync::config::Files;
use ordersync::config::document::{Problems, Table};
use ordersync::pipeline::transport::{Clients, egress};
use ordersync::secrets::{Secret, Secrets};
use ordersync::shop::{self, Cancellation, OrderRef, ShopApi, ShopFailure};
use serde_json::{Value, json};
use tokio::time::Instant;
use toml::de::DeTable;

use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::stack::Stack;

/// A platform's name, its shop's port, an order's identifier of its kind.
const PLATFORMS: [(Kind, &str, u16, &str); 6] = [
    (Kind::Magento, "magento", 19600, "5501"),
    (Kind::Shopify, "shopify", 19601, "9131072415678934507"),
    (Kind::WooCommerce, "woocommerce", 19602, "5501"),
    (Kind::Shopware, "shopware", 19603, "0190f6a1b2c3d4e5f60718293a4b5c6d"),
    (Kind::BigCommerce, "bigcommerce", 19604, "5501"),
    (Kind::Generic, "generic", 19605, "A-5501"),
];

const GENERIC: &str = r#", state = { path = "/orders/{{ order.id }}", paid = "response.payment.paid" }, cancel = { path = "/orders/{{ order.id }}/cancel", success = "response.ok", error = "/error" }"#;

/// A shop and the calls to it.
struct Pair {
    shop: FakeShop,
    api: Arc<dyn ShopApi>,
    clients: Clients,
    id: &'static str,
}

impl Pair {
    fn new((kind, platform, port, id): (Kind, &str, u16, &'static str)) -> Self {
        let more = if kind == Kind::Generic { GENERIC } else { "" };
        let text = format!(
            "api = {{ url = \"http://127.0.0.1:{port}\", auth = \"it-shop\"{more} }}\n\
             egress = {{ allow = [\"127.0.0.1:{port}\"] }}\n"
        );
        let document = DeTable::parse(&text).unwrap();
        let problems = Problems::new("shops.toml", &text);
        let root = Table::root(document.get_ref(), &problems);
        let egress = egress::read(root.get("egress").as_ref(), &Files::default());
        let api = shop::read(platform, &root.get("api").unwrap(), &egress).unwrap();
        let secrets = Secrets::fixed([("it-shop", Secret::new(kind.secret()))]);
        let clients = Clients::new(Stack::get().s3, "none", secrets, egress);
        Self { shop: FakeShop::start(kind, port), api, clients, id }
    }

    fn order(&self) -> OrderRef<'static> {
        OrderRef { id: self.id, number: "N-1" }
    }

    async fn state(&self) -> Result<(bool, bool), ShopFailure> {
        let state = self.api.state(&self.clients, self.order(), soon()).await?;
        assert_eq!(state.payment_method.as_deref(), Some("banktransfer"));
        Ok((state.is_paid, state.is_canceled))
    }

    async fn cancel(&self) -> Result<Cancellation, ShopFailure> {
        self.api.cancel(&self.clients, self.order(), soon()).await
    }

    /// What becomes of an order from its placing to the end.
    async fn live(&self, kind: Kind) {
        let (shop, id) = (&self.shop, self.id);
        assert_eq!((self.state().await, self.cancel().await), (Err(ShopFailure::NotFound), Err(ShopFailure::NotFound)));
        shop.place(id, "banktransfer");
        assert_eq!(self.state().await, Ok((false, false)));
        shop.throttle(2);
        let throttled = ShopFailure::Throttled { after: Duration::from_secs(2) };
        assert_eq!((self.state().await, self.cancel().await), (Err(throttled.clone()), Err(throttled)));
        shop.refuse(id, "a shipment is on its way");
        let refusal = self.cancel().await;
        let has_words = kind != Kind::Magento;
        let words = if has_words { "a shipment is on its way" } else { "false; the order is pending" };
        assert_eq!((refusal, shop.is_canceled(id)), (Ok(Cancellation::Refused(words.to_owned())), false));
        shop.place(id, "banktransfer");
        assert_eq!((self.cancel().await, shop.is_canceled(id)), (Ok(Cancellation::Done), true));
        assert_eq!(self.state().await, Ok((false, true)));
        assert_eq!(self.cancel().await, Ok(Cancellation::Done), "cancelled already");
    }

    /// A payment that comes in between looking and cancelling.
    async fn pay(&self, kind: Kind) {
        let (shop, id) = (&self.shop, self.id);
        shop.place(id, "banktransfer");
        shop.pay_at_last(id);
        let outcome = self.cancel().await.unwrap();
        let refuses = matches!(kind, Kind::Magento | Kind::WooCommerce | Kind::BigCommerce);
        assert_eq!(matches!(outcome, Cancellation::Refused(_)), refuses, "{outcome:?}");
        shop.place(id, "banktransfer");
        shop.pay(id);
        assert_eq!(self.state().await, Ok((true, false)));
        shop.cancel(id);
        assert_eq!(self.state().await, Ok((true, true)));
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[tokio::test]
async fn orders_are_looked_at_and_cancelled_on_every_platform() {
    for platform in PLATFORMS {
        let pair = Pair::new(platform);
        pair.live(platform.0).await;
        pair.pay(platform.0).await;
        let id = pair.id;
        let calls = pair.shop.calls();
        let first = if platform.0 == Kind::Shopware { "token".to_owned() } else { format!("state {id}") };
        assert_eq!(calls.first(), Some(&first));
        assert!(calls.contains(&format!("cancel {id}")));
    }
}

#[tokio::test]
async fn an_order_of_bigcommerce_is_fetched_with_all_its_products() {
    let pair = Pair::new((Kind::BigCommerce, "bigcommerce", 19586, "5502"));
    let products: Vec<Value> = (0..280).map(|id| json!({ "id": id })).collect();
    pair.shop.put(pair.id, json!({ "id": 5502, "total_inc_tax": "129.9000" }));
    pair.shop.fill(pair.id, products.clone(), vec![json!({ "city": "Aabenraa" })]);
    let fetched = pair.api.fetch(&pair.clients, pair.id, soon()).await.unwrap();
    let expected = json!({ "order": { "id": 5502, "total_inc_tax": "129.9000" }, "products": products,
        "shipping_addresses": [{ "city": "Aabenraa" }] });
    assert_eq!(serde_json::from_slice::<Value>(&fetched).unwrap(), expected);
    assert_eq!(pair.shop.calls().len(), 4);
}
