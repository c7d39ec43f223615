//! BigCommerce: `GET` and `PUT /v2/orders/{id}`.

use serde_json::{Value, json};

use super::*;

/// A store with one order, 5501, which reads it as `before` and, once something was written to it, as `after`.
fn shop(before: Value, after: Value) -> Server {
    Server::start(move |request, stream| match request.line.as_str() {
        "GET /base/v2/orders/5501 HTTP/1.1" => reply(stream, "200 OK", &[], &before.to_string()),
        "PUT /base/v2/orders/5501 HTTP/1.1" => reply(stream, "200 OK", &[], &after.to_string()),
        _ => reply(
            stream,
            "404 Not Found",
            &[],
            r#"[{"status": 404, "message": "The requested resource was not found."}]"#,
        ),
    })
}

fn order(status: (u32, &str), payment: &str) -> Value {
    json!({"id": 5501, "status_id": status.0, "status": status.1, "payment_method": "Bank Deposit",
        "payment_status": payment, "date_modified": "Sun, 01 Mar 2026 09:30:00 +0000"})
}

fn bench(server: &Server) -> Bench {
    Bench::to("bigcommerce", server, "")
}

const AWAITING: (u32, &str) = (7, "Awaiting Payment");
const CANCELED: (u32, &str) = (5, "Cancelled");

#[tokio::test]
async fn the_state_is_read_with_the_token() {
    let server = shop(order(AWAITING, ""), json!({}));
    let expected = OrderState {
        order_state: Some("Awaiting Payment".into()),
        payment_state: Some("pending".into()),
        payment_method: Some("Bank Deposit".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(bench(&server).state().await, Ok(expected));
    let asked = server.only_request();
    assert_eq!(asked.headers["x-auth-token"], "token-of-the-shop");
    assert_eq!(asked.headers["accept"], "application/json");
}

#[tokio::test]
async fn the_status_of_the_payment_says_whether_it_is_paid() {
    for (payment, expected) in [
        ("captured", true),
        ("paid", true),
        ("partially refunded", true),
        ("refunded", true),
        ("authorized", false),
        ("capture pending", false),
        ("declined", false),
        ("void", false),
        ("", false),
    ] {
        let state = bench(&shop(order(AWAITING, payment), json!({}))).state().await.unwrap();
        assert_eq!((state.is_paid, state.is_canceled), (expected, false), "{payment}");
    }
    assert!(bench(&shop(order(CANCELED, ""), json!({}))).state().await.unwrap().is_canceled);
}

#[tokio::test]
async fn an_order_is_cancelled() {
    let server = shop(json!({}), order(CANCELED, ""));
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
    assert_eq!(server.only_request().text(), r#"{"status_id":5}"#);
}

#[tokio::test]
async fn a_payment_that_came_in_meanwhile_is_no_success() {
    let server = shop(json!({}), order(CANCELED, "captured"));
    let paid = "cancelled, but it was paid in the meantime: restore the order or refund the payment";
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused(paid.into())));
}

#[tokio::test]
async fn a_status_that_stays_is_a_refusal() {
    let server = shop(json!({}), order((2, "Shipped"), "captured"));
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused("the order is Shipped still".into())));
}

#[tokio::test]
async fn what_bigcommerce_has_against_it_is_told_in_its_own_words() {
    for status in ["400 Bad Request", "409 Conflict"] {
        let answer = r#"[{"status": 400, "message": "The field 'status_id' is invalid."}]"#;
        let server = Server::answering(status, &[], answer);
        let expected = Cancellation::Refused("The field 'status_id' is invalid.".into());
        assert_eq!(bench(&server).cancel().await, Ok(expected));
    }
}

#[tokio::test]
async fn an_unknown_order_is_told_from_a_wrong_url() {
    let bench_of_unknown = bench(&shop(json!({}), json!({}))).about("5502");
    let unknown = Err(ShopFailure::NotFound);
    assert_eq!(
        (bench_of_unknown.state().await, bench_of_unknown.cancel().await),
        (unknown, Err(ShopFailure::NotFound))
    );
    let answer = r#"{"status": 404, "title": "The route is not found, check the URL"}"#;
    let server = Server::answering("404 Not Found", &[], answer);
    let failure = bench(&server).state().await.unwrap_err();
    assert_eq!(
        failure,
        refused(format!("{} answered 404 Not Found: look at the url of the shop's api", server.host()))
    );
}

#[tokio::test]
async fn the_quota_comes_back_after_the_time_in_its_own_header() {
    for (headers, milliseconds) in [
        (&["X-Rate-Limit-Time-Reset-Ms: 15000", "X-Rate-Limit-Requests-Left: 0"][..], 15_000),
        (&["x-rate-limit-time-reset-ms: 250", "retry-after: 9"], 250),
        (&["x-rate-limit-time-reset-ms: soon", "retry-after: 9"], 9_000),
        (&["x-rate-limit-time-reset-ms: 99999999999"], 11 * 3_600_000),
    ] {
        let server = Server::answering("429 Too Many Requests", headers, "");
        let expected = ShopFailure::Throttled { after: Duration::from_millis(milliseconds) };
        assert_eq!(bench(&server).state().await, Err(expected));
    }
}

#[tokio::test]
async fn answers_that_are_no_orders_are_refused() {
    for answer in [json!([]), json!({"id": 5501}), json!({"status": ""})] {
        let server = shop(answer.clone(), answer);
        let expected = refused(format!("{} answered something else than an order with its status", server.host()));
        let bench = bench(&server);
        assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
    }
}
