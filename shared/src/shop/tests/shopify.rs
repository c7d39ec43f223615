//! Shopify: the query `order`, the mutation `orderCancel` and its job.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;

/// Answers each kind of query (`State`, `Cancel`, `Progress`) with what `answer` makes of its name and its number
/// among those of its kind, from 1.
fn shop(answer: impl Fn(&str, usize) -> Value + Send + Sync + 'static) -> Server {
    let counts: [(&str, AtomicUsize); 3] = ["State", "Cancel", "Progress"].map(|name| (name, AtomicUsize::new(0)));
    Server::start(move |request, stream| {
        if request.line != "POST /base/admin/api/2026-07/graphql.json HTTP/1.1" {
            return reply(stream, "404 Not Found", &[], r#"{"errors": "Not Found"}"#);
        }
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let query = asked["query"].as_str().unwrap();
        let (name, count) = counts.iter().find(|(name, _)| query.contains(&format!(" {name}("))).unwrap();
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        reply(stream, "200 OK", &[], &answer(name, number).to_string());
    })
}

fn bench(server: &Server) -> Bench {
    Bench::to("shopify", server, "").about("9131072415678934507")
}

fn order(canceled: Option<&str>, financial: &str, fulfillment: &str) -> Value {
    json!({"data": {"order": {"cancelledAt": canceled, "displayFinancialStatus": financial,
        "displayFulfillmentStatus": fulfillment, "paymentGatewayNames": ["gift_card", "Bank Deposit"],
        "fullyPaid": false, "updatedAt": "2026-03-01T09:30:00Z"}}})
}

fn accepted() -> Value {
    json!({"data": {"orderCancel": {"job": {"id": "gid://shopify/Job/abc", "done": false}, "orderCancelUserErrors": []}}})
}

fn progress(done: bool, canceled: Option<&str>) -> Value {
    json!({"data": {"job": {"done": done}, "order": {"cancelledAt": canceled}}})
}

fn user_error(code: Option<&str>, message: &str) -> Value {
    let errors = json!([{ "code": code, "message": message }]);
    json!({"data": {"orderCancel": {"job": null, "orderCancelUserErrors": errors}}})
}

fn variables(request: &Received) -> Value {
    serde_json::from_slice::<Value>(&request.body).unwrap()["variables"].clone()
}

const AT: Option<&str> = Some("2026-03-01T09:31:00Z");

#[tokio::test]
async fn the_state_is_read_with_the_token() {
    let server = shop(|_, _| order(None, "PENDING", "UNFULFILLED"));
    let expected = OrderState {
        order_state: Some("unfulfilled".into()),
        payment_state: Some("pending".into()),
        payment_method: Some("Bank Deposit".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(bench(&server).state().await, Ok(expected));
    let asked = server.only_request();
    assert_eq!(asked.headers["x-shopify-access-token"], "token-of-the-shop");
    assert_eq!(variables(&asked), json!({"id": "gid://shopify/Order/9131072415678934507"}));
}

#[tokio::test]
async fn a_canceled_order_was_paid_only_if_its_payment_says_so() {
    for (financial, expected) in [("VOIDED", false), ("PENDING", false), ("PAID", true), ("REFUNDED", true)] {
        // Nothing is left to pay of an order that is cancelled.
        let mut answer = order(Some("2026-03-09T00:00:00Z"), financial, "UNFULFILLED");
        answer["data"]["order"]["fullyPaid"] = json!(true);
        let server = shop(move |_, _| answer.clone());
        let state = bench(&server).state().await.unwrap();
        assert_eq!((state.is_canceled, state.is_paid), (true, expected), "{financial}");
    }
}

#[tokio::test]
async fn the_words_are_those_of_the_webhook() {
    for (rest, answer) in [
        (json!({"financial_status": "paid", "fulfillment_status": null}), order(None, "PAID", "UNFULFILLED")),
        (json!({"financial_status": "pending", "fulfillment_status": null}), order(None, "PENDING", "ON_HOLD")),
        (json!({"financial_status": "authorized"}), order(None, "AUTHORIZED", "IN_PROGRESS")),
        (
            json!({"financial_status": "partially_paid", "fulfillment_status": "partial"}),
            order(None, "PARTIALLY_PAID", "PARTIALLY_FULFILLED"),
        ),
        (
            json!({"financial_status": "partially_refunded", "fulfillment_status": "fulfilled"}),
            order(None, "PARTIALLY_REFUNDED", "FULFILLED"),
        ),
        (
            json!({"financial_status": "refunded", "fulfillment_status": "restocked"}),
            order(None, "REFUNDED", "RESTOCKED"),
        ),
        (json!({"financial_status": "voided", "cancelled_at": AT}), order(AT, "VOIDED", "UNFULFILLED")),
    ] {
        let mut webhook: Value =
            serde_json::from_slice(include_bytes!("../../../../events/webhooks/shopify.json")).unwrap();
        webhook["payment_gateway_names"] = json!(["gift_card", "Bank Deposit"]);
        webhook["updated_at"] = json!("2026-03-01T10:30:00+01:00");
        for (name, value) in rest.as_object().unwrap() {
            webhook[name] = value.clone();
        }
        let server = shop(move |_, _| answer.clone());
        let state = bench(&server).state().await.unwrap();
        assert_eq!(state, state_by_webhook("shopify", webhook.to_string().as_bytes()), "{rest}");
    }
}

#[tokio::test]
async fn an_order_paid_in_full_is_paid_whatever_its_status() {
    let mut answer = order(None, "AUTHORIZED", "UNFULFILLED");
    answer["data"]["order"]["fullyPaid"] = json!(true);
    assert!(bench(&shop(move |_, _| answer.clone())).state().await.unwrap().is_paid);
}

#[tokio::test]
async fn an_unknown_order_is_null() {
    let server = shop(|_, _| json!({"data": {"order": null}}));
    assert_eq!(bench(&server).state().await, Err(ShopFailure::NotFound));
}

#[tokio::test]
async fn an_order_is_cancelled_when_the_job_has_done_it() {
    let server = shop(|name, number| match (name, number) {
        ("Cancel", _) => accepted(),
        (_, 1) => progress(false, None),
        _ => progress(true, AT),
    });
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
    let requests = server.requests();
    let expected = json!({
        "orderId": "gid://shopify/Order/9131072415678934507", "reason": "OTHER", "restock": true,
        "notifyCustomer": false, "staffNote": "Cancelled by ordersync: not paid in time", "refundMethod": null
    });
    assert_eq!(variables(&requests[0]), expected);
    let expected = json!({"job": "gid://shopify/Job/abc", "id": "gid://shopify/Order/9131072415678934507"});
    assert_eq!(variables(&requests[2]), expected);
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn how_it_is_cancelled_is_a_setting() {
    let server = shop(|name, _| if name == "Cancel" { accepted() } else { progress(true, AT) });
    let settings =
        r#"cancel = { reason = "declined", restock = false, notify_customer = true, refund = true, staff_note = "" }"#;
    let bench = Bench::to("shopify", &server, settings);
    assert_eq!(bench.cancel().await, Ok(Cancellation::Done));
    let expected = json!({
        "orderId": "gid://shopify/Order/5501", "reason": "DECLINED", "restock": false, "notifyCustomer": true,
        "staffNote": null, "refundMethod": {"originalPaymentMethodsRefund": true}
    });
    assert_eq!(variables(&server.requests()[0]), expected);
}

#[tokio::test]
async fn a_job_that_takes_longer_goes_on_by_itself() {
    let server = shop(|name, _| if name == "Cancel" { accepted() } else { progress(false, None) });
    let mut bench = bench(&server);
    bench.limit = Duration::from_millis(900);
    assert_eq!(bench.cancel().await, Ok(Cancellation::Started));
}

#[tokio::test]
async fn a_job_that_cannot_be_looked_at_goes_on_by_itself() {
    let server = shop(|name, _| if name == "Cancel" { accepted() } else { throttled(10.0, 0.0) });
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Started));
}

#[tokio::test]
async fn a_job_that_ends_without_cancelling_is_a_refusal() {
    let server = shop(|name, _| if name == "Cancel" { accepted() } else { progress(true, None) });
    let expected = Cancellation::Refused("the job is done and the order is not cancelled".into());
    assert_eq!(bench(&server).cancel().await, Ok(expected));
}

#[tokio::test]
async fn what_shopify_has_against_it_is_told_in_its_own_words() {
    let server = shop(|name, _| match name {
        "Cancel" => user_error(Some("INVALID"), "Cannot cancel an order\nwith fulfillments"),
        _ => order(None, "PAID", "FULFILLED"),
    });
    let expected = Cancellation::Refused("Cannot cancel an order with fulfillments".into());
    assert_eq!(bench(&server).cancel().await, Ok(expected));
}

#[tokio::test]
async fn an_order_that_is_cancelled_already_is_done() {
    let server = shop(|name, _| match name {
        "Cancel" => user_error(Some("INVALID"), "Order has already been cancelled"),
        _ => order(AT, "VOIDED", "UNFULFILLED"),
    });
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
}

#[tokio::test]
async fn codes_of_user_errors_decide() {
    let server = shop(|_, _| user_error(Some("NOT_FOUND"), "Order does not exist"));
    assert_eq!(bench(&server).cancel().await, Err(ShopFailure::NotFound));
    let server = shop(|_, _| user_error(Some("INTERNAL_ERROR"), "Oops"));
    let expected = unavailable("orderCancel failed within Shopify (INTERNAL_ERROR)");
    assert_eq!(bench(&server).cancel().await, Err(expected));
}

fn throttled(cost: f64, available: f64) -> Value {
    json!({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": cost, "actualQueryCost": null, "throttleStatus":
            {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0}}}})
}

#[tokio::test]
async fn throttling_says_how_long_the_bucket_takes() {
    let server = shop(|_, _| throttled(752.0, 252.0));
    let expected = ShopFailure::Throttled { after: Duration::from_secs(5) };
    let bench = bench(&server);
    assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
}

#[tokio::test]
async fn errors_with_status_200_are_failures() {
    let denied = json!({"errors": [{"message": "Access denied for orderCancel field",
        "extensions": {"code": "ACCESS_DENIED"}}], "data": {"orderCancel": null}});
    let server = shop(move |_, _| denied.clone());
    let expected = refused("Shopify answered with errors (ACCESS_DENIED): the token lacks a scope");
    assert_eq!(bench(&server).cancel().await, Err(expected));
}

#[tokio::test]
async fn answers_that_are_none_are_refused() {
    for (answer, expected) in [
        (json!({}), "data or errors"),
        (json!({"data": null, "errors": []}), "data or errors"),
        (json!({"data": {}}), "an order or null"),
        (json!({"data": {"order": {}}}), "an order or null"),
        (json!([]), "a GraphQL answer"),
    ] {
        let server = shop(move |_, _| answer.clone());
        let failure = bench(&server).state().await.unwrap_err();
        assert_eq!(failure, refused(format!("{} answered something else than {expected}", server.host())));
    }
    let server = shop(|_, _| json!({"data": {"orderCancel": null}}));
    let failure = bench(&server).cancel().await.unwrap_err();
    assert_eq!(failure, refused(format!("{} answered something else than what became of orderCancel", server.host())));
}

/// Gives the tokens `token-1`, `token-2`, … and takes none but the last.
fn shop_with_clients() -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |request, stream| {
        if request.line.contains("/admin/oauth/access_token") {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let answer =
                format!(r#"{{"access_token": "token-{number}", "scope": "write_orders", "expires_in": 86399}}"#);
            return reply(stream, "200 OK", &[], &answer);
        }
        let live = format!("token-{}", given.load(Ordering::SeqCst));
        match request.headers.get("x-shopify-access-token") {
            Some(token) if *token == live => {
                reply(stream, "200 OK", &[], &order(None, "PENDING", "UNFULFILLED").to_string());
            }
            _ => reply(stream, "401 Unauthorized", &[], r#"{"errors": "[API] Invalid API key or access token"}"#),
        }
    })
}

#[tokio::test]
async fn a_client_fetches_its_token_and_a_new_one_when_it_is_refused() {
    let server = shop_with_clients();
    let bench = bench(&server).knowing("client-id:client-secret");
    bench.state().await.unwrap();
    bench.state().await.unwrap();
    let lines = |server: &Server| -> Vec<String> { server.requests().iter().map(|r| r.line.clone()).collect() };
    assert_eq!(lines(&server).iter().filter(|line| line.contains("access_token")).count(), 1);
    let asked = server.requests()[0].text().to_owned();
    assert_eq!(asked, "grant_type=client_credentials&client_id=client-id&client_secret=client-secret");
    // Another function of ours fetches a token, and this one's is refused from now on.
    Bench::to("shopify", &server, "").knowing("client-id:client-secret").state().await.unwrap();
    bench.state().await.unwrap();
    assert_eq!(lines(&server).len(), 3 + 2 + 3);
}
