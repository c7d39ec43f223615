//! Shopware: `POST /api/search/order` and `POST /api/_action/order/{id}/state/cancel`.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;

const ID: &str = "0190f6a1b2c3d4e5f60718293a4b5c6d";

/// A shop that finds `orders` and answers a cancellation with `status` and `answer`. Its tokens are `token-1`, `token-2`, …;
/// it takes none but the last.
fn shop(orders: Value, status: &'static str, answer: Value) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |request, stream| {
        let line = request.line.as_str();
        if line == "POST /base/api/oauth/token HTTP/1.1" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let token = json!({"token_type": "Bearer", "expires_in": 600, "access_token": format!("token-{number}")});
            return reply(stream, "200 OK", &[], &token.to_string());
        }
        if request.headers["authorization"] != format!("Bearer token-{}", given.load(Ordering::SeqCst)) {
            let errors = json!({"errors": [{"code": "9", "status": "401", "detail": "Access token is invalid"}]});
            return reply(stream, "401 Unauthorized", &[], &errors.to_string());
        }
        match line {
            "POST /base/api/search/order HTTP/1.1" => {
                let answer = json!({"total": 1, "data": orders, "aggregations": []});
                reply(stream, "200 OK", &[], &answer.to_string());
            }
            _ if line == format!("POST /base/api/_action/order/{ID}/state/cancel HTTP/1.1") => {
                reply(stream, status, &[], &answer.to_string());
            }
            _ => reply(stream, "404 Not Found", &[], r#"{"errors": [{"code": "0", "detail": "No route found"}]}"#),
        }
    })
}

fn bench(server: &Server) -> Bench {
    Bench::to("shopware", server, "").knowing("client-id:client-secret").about(ID)
}

fn order(state: &str, transactions: &Value) -> Value {
    json!([{"id": ID, "updatedAt": "2026-03-01T09:30:00.000+00:00", "stateMachineState": {"technicalName": state},
        "transactions": transactions}])
}

fn transaction(id: &str, state: &str, created: &str) -> Value {
    json!({"id": id, "createdAt": created, "stateMachineState": {"technicalName": state},
        "paymentMethod": {"technicalName": format!("method_{id}")}})
}

fn error(code: &str, detail: &str) -> Value {
    json!({"errors": [{"status": "400", "code": code, "title": "Bad Request", "detail": detail, "meta": {}}]})
}

fn illegal() -> Value {
    let detail = "Illegal transition \"cancel\" from state \"completed\". Possible transitions are: reopen";
    error("SYSTEM__ILLEGAL_STATE_TRANSITION", detail)
}

#[tokio::test]
async fn the_state_is_searched_for_with_a_token() {
    let server = shop(order("open", &json!([transaction("a", "open", "2026-03-01")])), "200 OK", json!({}));
    let expected = OrderState {
        order_state: Some("open".into()),
        payment_state: Some("open".into()),
        payment_method: Some("method_a".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    let bench = bench(&server);
    assert_eq!(bench.state().await, Ok(expected.clone()));
    assert_eq!(bench.state().await, Ok(expected));
    let [token, search, _] = server.requests().try_into().unwrap();
    assert_eq!(token.text(), "grant_type=client_credentials&client_id=client-id&client_secret=client-secret");
    let asked: Value = serde_json::from_slice(&search.body).unwrap();
    assert_eq!(asked["ids"], json!([ID]));
    assert!(asked.pointer("/associations/transactions/associations/paymentMethod").is_some());
    assert_eq!(search.headers["accept"], "application/json");
}

#[tokio::test]
async fn the_words_are_those_of_the_webhook() {
    let mut webhook: Value =
        serde_json::from_slice(include_bytes!("../../../../events/webhooks/shopware.json")).unwrap();
    let by_date = |first: &str, second: &str| {
        json!([transaction("a", first, "2026-03-02T00:00:00Z"), transaction("b", second, "2026-03-01T00:00:00Z")])
    };
    for (primary, transactions) in [
        (Value::Null, webhook["data"]["payload"]["order"]["transactions"].clone()),
        (Value::Null, by_date("open", "paid")),
        (Value::Null, by_date("cancelled", "paid_partially")),
        (Value::Null, by_date("failed", "cancelled")),
        (json!("b"), by_date("open", "refunded")),
        (json!("b"), by_date("open", "refunded_partially")),
        (json!("c"), by_date("in_progress", "paid")),
        (Value::Null, json!([{"stateMachineState": {"technicalName": "open"}, "paymentMethod": {"name": "Rechnung"}}])),
        (Value::Null, json!([])),
    ] {
        for state in ["open", "cancelled"] {
            let order = &mut webhook["data"]["payload"]["order"];
            order["transactions"] = transactions.clone();
            order["primaryOrderTransactionId"] = primary.clone();
            order["stateMachineState"]["technicalName"] = json!(state);
            let server = shop(json!([order]), "200 OK", json!({}));
            let found = bench(&server).state().await.unwrap();
            assert_eq!(found, state_by_webhook("shopware", webhook.to_string().as_bytes()), "{transactions}");
        }
    }
}

#[tokio::test]
async fn an_order_that_is_not_found_is_unknown() {
    let server =
        shop(json!([]), "404 Not Found", error("CHECKOUT__ORDER_ORDER_NOT_FOUND", "Order with id x not found"));
    let bench = bench(&server);
    assert_eq!((bench.state().await, bench.cancel().await), (Err(ShopFailure::NotFound), Err(ShopFailure::NotFound)));
}

#[tokio::test]
async fn an_order_is_cancelled() {
    let server = shop(json!([]), "200 OK", json!({"technicalName": "cancelled"}));
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
    assert_eq!(server.requests()[1].text(), "{}");
    for (settings, expected) in [("false", "{\"sendMail\":false}"), ("true", "{\"sendMail\":true}")] {
        let server = shop(json!([]), "200 OK", json!({}));
        let settings = format!("cancel = {{ notify_customer = {settings} }}");
        let bench = Bench::to("shopware", &server, &settings).knowing("client-id:client-secret").about(ID);
        assert_eq!(bench.cancel().await, Ok(Cancellation::Done));
        assert_eq!(server.requests()[1].text(), expected);
    }
}

#[tokio::test]
async fn a_transition_that_is_not_allowed_is_a_refusal() {
    let server = shop(order("completed", &json!([])), "400 Bad Request", illegal());
    let detail = "Illegal transition \"cancel\" from state \"completed\". Possible transitions are: reopen";
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused(detail.into())));
}

#[tokio::test]
async fn an_order_that_is_cancelled_already_is_done() {
    let server = shop(order("cancelled", &json!([])), "400 Bad Request", illegal());
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
}

#[tokio::test]
async fn a_token_that_was_revoked_is_fetched_anew() {
    let server = shop(order("open", &json!([])), "200 OK", json!({}));
    let revoked = bench(&server);
    revoked.state().await.unwrap();
    bench(&server).state().await.unwrap();
    revoked.state().await.unwrap();
    let tokens = server.requests().iter().filter(|request| request.line.contains("oauth")).count();
    assert_eq!(tokens, 3);
}

#[tokio::test]
async fn a_client_that_shopware_does_not_know_is_refused() {
    let answer = r#"{"errors": [{"code": "4", "status": "401", "title": "Client authentication failed"}]}"#;
    let server = Server::answering("401 Unauthorized", &[], answer);
    let failure = bench(&server).state().await.unwrap_err();
    assert_eq!(failure, refused(format!("no OAuth2 token: {} answered 401 Unauthorized", server.host())));
}

#[tokio::test]
async fn a_token_endpoint_that_is_busy_is_waited_for() {
    let server = Server::answering("429 Too Many Requests", &["retry-after: 9"], "");
    let expected = ShopFailure::Throttled { after: Duration::from_secs(9) };
    assert_eq!(bench(&server).cancel().await, Err(expected));
}

#[tokio::test]
async fn answers_that_are_no_orders_are_refused() {
    for (orders, expected) in [
        (json!(null), "a list of orders"),
        (json!([{}]), "an order with its state"),
        (json!([{"stateMachineState": null}]), "an order with its state"),
    ] {
        let server = shop(orders, "200 OK", json!({}));
        let failure = bench(&server).state().await.unwrap_err();
        assert_eq!(failure, refused(format!("{} answered something else than {expected}", server.host())));
    }
}
