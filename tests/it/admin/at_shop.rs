//! Cancelling an order at its shop.

use std::time::Duration;

use ordersync::ledger::Status;
use ordersync::pipeline::transport::Clients;
use ordersync::secrets::Secrets;
use ordersync_admin::{AdminError, AtShop, Kind, OrderKey};
use tokio::time::Instant;

use super::{ada, admin, config};
use crate::support::fake_shop::{self, FakeShop};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-admin-shop";

async fn cancel(stack: &Stack, shop: &str, id: &str) -> Result<AtShop, AdminError> {
    let config = config();
    let secrets = Secrets::new(stack.secrets.clone());
    let clients = Clients::new(stack.s3.clone(), stack.bucket.clone(), secrets, config.egress.clone());
    let order = OrderKey { shop: shop.into(), order: id.into() };
    let deadline = Instant::now() + Duration::from_secs(20);
    Box::pin(admin(stack).cancel_at_shop(&ada(), &config, &clients, &order, deadline)).await
}

#[tokio::test]
async fn an_order_is_cancelled_at_its_shop_unless_it_is_paid_or_the_shop_says_no() {
    let stack = Stack::get();
    let shop = FakeShop::start(fake_shop::Kind::Generic, 19587);
    for id in ["shop-1", "shop-2", "shop-3", "shop-4"] {
        shop.place(id, "invoice");
        stack.accept(SHOP, &generic(&order(id))).await;
        stack.export(SHOP, id, "admin-shop", Status::Exported).await;
    }
    assert_eq!(cancel(&stack, SHOP, "shop-1").await, Ok(AtShop::Canceled));
    assert!(shop.is_canceled("shop-1"));
    let row = stack.row(SHOP, "shop-1", "admin-shop").await.unwrap();
    assert!(row.canceled_at.is_some() && !row.is_unpaid, "what the shop says is on record: {row:?}");
    let again = cancel(&stack, SHOP, "shop-1").await.unwrap_err();
    assert_eq!(
        (again.kind, again.message.as_str()),
        (Kind::Refused, "the shop has cancelled it"),
        "and is not asked again"
    );

    shop.pay("shop-2");
    let paid = cancel(&stack, SHOP, "shop-2").await.unwrap_err();
    assert_eq!((paid.kind, shop.is_canceled("shop-2")), (Kind::Refused, false), "{paid}");
    shop.refuse("shop-3", "it is on its way");
    let refused = cancel(&stack, SHOP, "shop-3").await.unwrap_err();
    assert!(refused.kind == Kind::Refused && refused.message.contains("it is on its way"), "{refused}");
    shop.cancel("shop-4");
    assert_eq!(cancel(&stack, SHOP, "shop-4").await, Ok(AtShop::WasCanceled));

    let calls = shop.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("cancel")).count(), 2, "{calls:?}");
    assert_eq!(cancel(&stack, SHOP, "nobody").await.unwrap_err().kind, Kind::NotFound);
    let entries = admin(&stack).audited(Some(400), None).await.unwrap().entries;
    let noted = entries.iter().filter(|entry| entry.action == "cancel-at-shop" && entry.what == "it-admin-shop:shop-2");
    assert_eq!(noted.map(|entry| entry.is_done).collect::<Vec<_>>(), [false]);
}
