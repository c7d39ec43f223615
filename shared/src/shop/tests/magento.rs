//! Magento: `GET /V1/orders/{id}` and `POST /V1/orders/{id}/cancel`.

use serde_json::{Value, json};

use super::*;

/// A shop with one order, 5501, which answers its cancellation with `answer`.
fn shop(order: Value, status: &'static str, answer: &'static str) -> Server {
    Server::start(move |request, stream| match request.line.as_str() {
        line if line.starts_with("GET /base/rest/V1/orders/5501?") => {
            reply(stream, "200 OK", &[], &order.to_string());
        }
        "POST /base/rest/V1/orders/5501/cancel HTTP/1.1" => reply(stream, status, &[], answer),
        _ => reply(stream, "404 Not Found", &[], r#"{"message": "Request does not match any route."}"#),
    })
}

fn order(state: &str, status: &str, due: &str) -> Value {
    json!({"entity_id": 5501, "state": state, "status": status, "grand_total": 120.5, "total_due": due,
        "updated_at": "2026-03-01 09:30:00", "payment": {"method": "banktransfer"}})
}

#[tokio::test]
async fn the_state_is_read_with_the_token() {
    let server = shop(order("new", "pending", "120.5000"), "200 OK", "true");
    let state = Bench::to("magento", &server, "").state().await.unwrap();
    let expected = OrderState {
        order_state: Some("pending".into()),
        payment_state: Some("pending".into()),
        payment_method: Some("banktransfer".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(state, expected);
    let asked = server.only_request();
    assert_eq!(asked.headers["authorization"], "Bearer token-of-the-shop");
    assert_eq!(asked.headers["accept"], "application/json");
    assert!(asked.line.contains("?fields=entity_id,state,status,total_due"), "{}", asked.line);
}

#[tokio::test]
async fn the_words_are_those_of_the_webhook() {
    let body = include_bytes!("../../../../events/webhooks/magento.json");
    let server = shop(serde_json::from_slice(body).unwrap(), "200 OK", "true");
    let state = Bench::to("magento", &server, "").state().await.unwrap();
    assert_eq!(state, state_by_webhook("magento", body));
}

#[tokio::test]
async fn what_is_due_says_whether_it_is_paid() {
    for (order, paid, canceled) in [
        (order("processing", "processing", "0"), true, false),
        (order("processing", "processing", "0.0100"), false, false),
        (order("canceled", "canceled", "120.5"), false, true),
        (order("new", "storniert", "120.5"), false, false),
        (json!({"state": "processing", "total_paid": "120.50", "grand_total": "120.5000"}), true, false),
        (json!({"state": "complete"}), true, false),
        (json!({"state": "new"}), false, false),
    ] {
        let server = shop(order.clone(), "200 OK", "true");
        let state = Bench::to("magento", &server, "").state().await.unwrap();
        assert_eq!((state.is_paid, state.is_canceled), (paid, canceled), "{order}");
    }
}

#[tokio::test]
async fn an_order_is_cancelled() {
    let server = shop(order("new", "pending", "120.5"), "200 OK", "true");
    assert_eq!(Bench::to("magento", &server, "").cancel().await, Ok(Cancellation::Done));
    assert_eq!(server.only_request().headers["authorization"], "Bearer token-of-the-shop");
}

#[tokio::test]
async fn false_means_no_unless_it_is_cancelled_already() {
    for (now, expected) in [
        (order("processing", "processing", "0"), Cancellation::Refused("false; the order is processing".into())),
        (order("canceled", "canceled", "120.5"), Cancellation::Done),
        (json!({}), Cancellation::Refused("false".into())),
    ] {
        let server = shop(now, "200 OK", "false");
        assert_eq!(Bench::to("magento", &server, "").cancel().await, Ok(expected));
    }
}

#[tokio::test]
async fn what_magento_has_against_it_is_told_in_its_own_words() {
    for (answer, expected) in [
        (r#"{"message": "We cannot cancel this order."}"#, "We cannot cancel this order."),
        (r#"{"message": "%1 of %2\u0007 left", "parameters": ["two", 3]}"#, "two of 3  left"),
        (r#"{"message": "No %what", "parameters": {"what": "way"}}"#, "No way"),
        (r#"{"message": "Bearer token-of-the-shop is bad"}"#, "Bearer [secret] is bad"),
        (r#"{"message": " "}"#, "no reason given"),
    ] {
        let server = shop(order("new", "pending", "1"), "400 Bad Request", answer);
        let cancellation = Bench::to("magento", &server, "").cancel().await;
        assert_eq!(cancellation, Ok(Cancellation::Refused(expected.into())));
    }
    let long = format!(r#"{{"message": "{}"}}"#, "é".repeat(1000)).leak();
    let server = shop(order("new", "pending", "1"), "400 Bad Request", long);
    let cancellation = Bench::to("magento", &server, "").cancel().await;
    assert_eq!(cancellation, Ok(Cancellation::Refused("é".repeat(300))));
}

#[tokio::test]
async fn an_unknown_order_is_told_from_a_wrong_url() {
    let unknown = r#"{"message": "The entity that was requested doesn't exist. Verify the entity and try again."}"#;
    let old = r#"{"message": "No such entity with %fieldName = %fieldValue", "parameters": {"fieldName": "orderId"}}"#;
    for answer in [unknown, old] {
        let server = Server::answering("404 Not Found", &[], answer);
        let bench = Bench::to("magento", &server, "");
        assert_eq!(
            (bench.state().await, bench.cancel().await),
            (Err(ShopFailure::NotFound), Err(ShopFailure::NotFound))
        );
    }
    let store = r#"{"message": "The store that was requested wasn't found. Verify the store and try again."}"#;
    for answer in [r#"{"message": "Request does not match any route."}"#, store, "<html>not found</html>"] {
        let server = Server::answering("404 Not Found", &[], answer);
        let failure = Bench::to("magento", &server, "").state().await.unwrap_err();
        let expected = format!("{} answered 404 Not Found: look at the url of the shop's api", server.host());
        assert_eq!(failure, refused(expected));
    }
}

#[tokio::test]
async fn answers_that_are_no_orders_are_refused() {
    for (answer, expected) in [
        ("[]", "an order with its state"),
        (r#"{"entity_id": 5501}"#, "an order with its state"),
        ("", "an order"),
        ("\"order\"", "an order with its state"),
    ] {
        let server = Server::answering("200 OK", &[], answer);
        let failure = Bench::to("magento", &server, "").state().await.unwrap_err();
        assert_eq!(failure, refused(format!("{} answered something else than {expected}", server.host())), "{answer}");
    }
    let server = shop(json!({}), "200 OK", r#"{"cancelled": true}"#);
    let failure = Bench::to("magento", &server, "").cancel().await.unwrap_err();
    assert_eq!(failure, refused(format!("{} answered something else than true or false", server.host())));
}

#[tokio::test]
async fn a_byte_order_mark_does_no_harm() {
    let server = shop(order("new", "pending", "1"), "200 OK", "\u{feff}true");
    assert_eq!(Bench::to("magento", &server, "").cancel().await, Ok(Cancellation::Done));
}

#[tokio::test]
async fn the_path_to_the_api_is_a_setting() {
    let server = Server::answering("200 OK", &[], "true");
    for (path, expected) in [("/V1", "/base/V1"), ("/rest/all/V1/", "/base/rest/all/V1")] {
        let bench = Bench::to("magento", &server, &format!("path = \"{path}\""));
        assert_eq!(bench.cancel().await, Ok(Cancellation::Done));
        assert_eq!(server.requests().pop().unwrap().line, format!("POST {expected}/orders/5501/cancel HTTP/1.1"));
    }
}
