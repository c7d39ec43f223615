//! What becomes of a webhook that only names its order, as the shop answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_mocks::{Rule, RuleMode, mock_client};
use futures_util::future::BoxFuture;

use super::*;
use crate::config::{Config, Files, parse};
use crate::fake::{FakeTable, Log};
use crate::ledger::{ExportKey, Ledger, PayloadStore, Status};
use crate::pipeline::message::Message;
use crate::pipeline::tally::Tally;
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::s3::pack::Record;
use crate::pipeline::wait::PauseBoard;
use crate::queue::Requeue;
use crate::secrets::Secrets;
use crate::shop::{Cancellation, OrderRef, OrderState, ShopApi};

const REFERENCE: &[u8] = br#"{"scope":"store/order/created","data":{"type":"order","id":250}}"#;

/// A shop that answers every request for an order with this.
#[derive(Debug)]
struct Answering(Result<Vec<u8>, ShopFailure>, AtomicUsize);

impl ShopApi for Answering {
    fn state<'a>(
        &'a self,
        _: &'a Clients,
        _: OrderRef<'a>,
        _: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>> {
        Box::pin(async { Err(ShopFailure::NotFound) })
    }

    fn cancel<'a>(
        &'a self,
        _: &'a Clients,
        _: OrderRef<'a>,
        _: Instant,
    ) -> BoxFuture<'a, Result<Cancellation, ShopFailure>> {
        Box::pin(async { Err(ShopFailure::NotFound) })
    }

    fn fetch<'a>(
        &'a self,
        _: &'a Clients,
        order_id: &'a str,
        _: Instant,
    ) -> BoxFuture<'a, Result<Vec<u8>, ShopFailure>> {
        assert_eq!(order_id, "250");
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { self.0.clone() })
    }
}

fn config() -> Config {
    let document = r#"
[[shops]]
code = "bc"
platform = "bigcommerce"
secrets = ["s"]
api = { url = "https://api.bigcommerce.com/stores/abc", auth = "t" }

[[shops]]
code = "shopify"
platform = "shopify"
secrets = ["s"]

[[pipelines]]
code = "p"
format = { type = "json" }
transport = { type = "s3", key = "a" }
"#;
    parse("ordersync.toml", document, &Files::default(), 10).unwrap()
}

fn runner() -> Runner {
    let none: &[&Rule] = &[];
    Runner {
        ledger: Ledger::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, none),
            "table".into(),
            Duration::from_hours(24),
        ),
        pauses: PauseBoard::nothing_paused(),
        requeue: Requeue { sqs: mock_client!(aws_sdk_sqs, RuleMode::Sequential, none), queue_url: "q".into() },
        clients: Clients::new(
            mock_client!(aws_sdk_s3, RuleMode::Sequential, none),
            "bucket",
            Secrets::fixed::<String>([]),
            Egress::default(),
        ),
        tally: Tally::default(),
        record: Record::alone(Instant::now() + Duration::from_mins(1)),
        invocation: "request-1".into(),
        deadline: Instant::now() + Duration::from_secs(30),
        max_receive_count: 10,
    }
}

/// What becomes of a body, and how often the shop was asked.
async fn whole(
    shop: &str,
    body: &[u8],
    answer: Result<Vec<u8>, ShopFailure>,
    receive_count: u32,
) -> (Result<Whole, Verdict>, usize) {
    let mut config = config();
    let shop = config.shops.get_mut(shop).unwrap();
    let api = Arc::new(Answering(answer, AtomicUsize::new(0)));
    shop.api = Some(Arc::clone(&api) as Arc<dyn ShopApi>);
    let whole = runner().whole(shop, "250", body.to_vec(), receive_count).await;
    (whole, api.1.load(Ordering::Relaxed))
}

#[tokio::test]
async fn only_what_names_an_order_is_fetched() {
    let order = br#"{"order":{"id":250},"products":[],"shipping_addresses":[]}"#.to_vec();
    let fetched = whole("bc", REFERENCE, Ok(order.clone()), 1).await;
    assert_eq!(fetched, (Ok((order.clone(), None)), 1));
    let fetched = whole("bc", &order, Ok(b"newer".to_vec()), 1).await;
    assert_eq!(fetched, (Ok((order, None)), 0), "an order that was fetched is not fetched again");
    let fetched = whole("shopify", REFERENCE, Ok(b"another".to_vec()), 1).await;
    assert_eq!(fetched, (Ok((REFERENCE.to_vec(), None)), 0));
}

#[tokio::test]
async fn a_shop_that_does_not_answer_is_asked_again_until_the_last_delivery() {
    let busy = || ShopFailure::Throttled { after: Duration::from_hours(2) };
    let (again, _) = whole("bc", REFERENCE, Err(busy()), 1).await;
    assert_eq!(again, Err(Verdict::Retry(Duration::from_hours(2))), "as long as the shop wants");
    let (again, _) = whole("bc", REFERENCE, Err(ShopFailure::Unavailable("down".into())), 9).await;
    assert!(matches!(again, Err(Verdict::Retry(_))), "{again:?}");
    for failure in [busy(), ShopFailure::Unavailable("down".into())] {
        let (given_up, _) = whole("bc", REFERENCE, Err(failure.clone()), 10).await;
        let expected = format!("expected the order from the shop, but: {failure}");
        let error = BadOrder { path: "order".into(), expected };
        assert_eq!(given_up, Ok((REFERENCE.to_vec(), Some(Missing { error, fault: Fault::Exhausted }))));
    }
}

#[tokio::test]
async fn an_order_that_the_shop_will_not_give_is_none() {
    for failure in [ShopFailure::NotFound, ShopFailure::Refused("api.bigcommerce.com answered 401".into())] {
        let (given_up, asked) = whole("bc", REFERENCE, Err(failure.clone()), 1).await;
        let expected = format!("expected the order from the shop, but: {failure}");
        let error = BadOrder { path: "order".into(), expected };
        assert_eq!(given_up, Ok((REFERENCE.to_vec(), Some(Missing { error, fault: Fault::Permanent }))));
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn a_shop_without_calls_back_says_so() {
    let mut config = config();
    let shop = config.shops.get_mut("bc").unwrap();
    shop.api = None;
    let whole = runner().whole(shop, "250", REFERENCE.to_vec(), 1).await.unwrap();
    let error = whole.1.unwrap().error.to_string();
    assert!(error.starts_with("order: expected api in the shop's configuration"), "{error}");
}

#[tokio::test]
async fn a_shop_that_is_away_to_the_last_leaves_an_error_that_is_reset_by_itself_and_a_dead_letter() {
    let away = ShopFailure::Unavailable("api.bigcommerce.com: no answer".into());
    for (failure, fault, verdict) in [
        (away, Fault::Exhausted, Verdict::Retry(Duration::ZERO)),
        (ShopFailure::NotFound, Fault::Permanent, Verdict::Done),
    ] {
        let (mut config, table) = (config(), FakeTable::new(Log::default()));
        config.shops.get_mut("bc").unwrap().api = Some(Arc::new(Answering(Err(failure), AtomicUsize::new(0))));
        let runner = Runner { ledger: table.ledger(), ..runner() };
        let payloads = PayloadStore { s3: runner.clients.s3.clone(), bucket: "bucket".into() };
        let fields = [("shop", "bc"), ("received_at", "2026-03-01T00:00:00Z")];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = String::from_utf8(REFERENCE.to_vec()).unwrap();
        let message = Message { id: "m".into(), fields, body, receive_count: 10 };
        assert_eq!(runner.process(&config, &payloads, message).await.unwrap(), verdict);
        let row = table.row(&ExportKey::new("bc", "250", "p")).unwrap();
        assert_eq!((row.status, row.fault, row.attempts), (Status::Error, Some(fault), 0));
        let kept = payloads.fetch(&row.payload.unwrap()).await;
        assert_eq!(kept, Ok(REFERENCE.to_vec()), "so that a reset fetches the order");
    }
}
