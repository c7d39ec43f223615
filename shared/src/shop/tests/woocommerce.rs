//! WooCommerce: `GET` and `PUT /wp-json/wc/v3/orders/{id}`.

use serde_json::{Value, json};

use super::*;

/// A shop with one order, 5501, which reads it as `before` and, once something was written to it, as `after`.
fn shop(before: Value, after: Value) -> Server {
    Server::start(move |request, stream| {
        let (method, path) = request.line.split_once(' ').unwrap();
        let is_known = path.starts_with("/base/wp-json/wc/v3/orders/5501?_fields=id,status,");
        match (method, is_known) {
            ("GET", true) => reply(stream, "200 OK", &[], &before.to_string()),
            ("PUT", true) => reply(stream, "200 OK", &[], &after.to_string()),
            _ => reply(stream, "404 Not Found", &[], r#"{"code": "rest_no_route", "message": "No route"}"#),
        }
    })
}

fn order(status: &str, paid: Option<&str>) -> Value {
    json!({"id": 5501, "status": status, "payment_method": "bacs", "date_paid": paid, "date_paid_gmt": paid,
        "date_modified_gmt": "2026-03-01T09:30:00"})
}

fn bench(server: &Server) -> Bench {
    Bench::to("woocommerce", server, "").knowing("ck_key:cs_secret")
}

#[tokio::test]
async fn the_state_is_read_with_the_key() {
    let server = shop(order("on-hold", None), json!({}));
    let expected = OrderState {
        order_state: Some("on-hold".into()),
        payment_state: Some("pending".into()),
        payment_method: Some("bacs".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(bench(&server).state().await, Ok(expected));
    assert_eq!(server.only_request().headers["authorization"], "Basic Y2tfa2V5OmNzX3NlY3JldA==");
}

#[tokio::test]
async fn the_words_are_those_of_the_webhook() {
    let body = include_bytes!("../../../../events/webhooks/woocommerce.json");
    let server = shop(serde_json::from_slice(body).unwrap(), json!({}));
    assert_eq!(bench(&server).state().await.unwrap(), state_by_webhook("woocommerce", body));
}

#[tokio::test]
async fn the_time_of_the_payment_says_whether_it_is_paid() {
    for (order, paid, canceled) in [
        (order("processing", Some("2026-03-01T09:30:00")), true, false),
        (order("cancelled", None), false, true),
        (order("failed", None), false, false),
    ] {
        let state = bench(&shop(order.clone(), json!({}))).state().await.unwrap();
        assert_eq!((state.is_paid, state.is_canceled), (paid, canceled), "{order}");
    }
}

#[tokio::test]
async fn an_order_is_cancelled() {
    let server = shop(json!({}), order("cancelled", None));
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
    let asked = server.only_request();
    assert_eq!(
        (asked.text(), asked.headers["content-type"].as_str()),
        (r#"{"status":"cancelled"}"#, "application/json")
    );
}

#[tokio::test]
async fn a_payment_that_came_in_meanwhile_is_no_success() {
    let server = shop(json!({}), order("cancelled", Some("2026-03-01T09:29:59")));
    let paid = "cancelled, but it was paid in the meantime: restore the order or refund the payment";
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused(paid.into())));
}

#[tokio::test]
async fn a_status_that_stays_is_a_refusal() {
    let server = shop(json!({}), order("processing", Some("2026-03-01T09:29:59")));
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused("the order is processing still".into())));
}

#[tokio::test]
async fn what_woocommerce_has_against_it_is_told_in_its_own_words() {
    let answer =
        r#"{"code": "rest_invalid_param", "message": "Invalid parameter(s): status", "data": {"status": 400}}"#;
    let server = Server::answering("400 Bad Request", &[], answer);
    let expected = Cancellation::Refused("Invalid parameter(s): status".into());
    assert_eq!(bench(&server).cancel().await, Ok(expected));
}

#[tokio::test]
async fn an_unknown_order_is_told_from_a_wrong_url() {
    let unknown = r#"{"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {}}"#;
    let server = Server::answering("404 Not Found", &[], unknown);
    assert_eq!(bench(&server).state().await, Err(ShopFailure::NotFound));
    let server = Server::answering("400 Bad Request", &[], unknown);
    assert_eq!(bench(&server).cancel().await, Err(ShopFailure::NotFound));
    let server = shop(json!({}), json!({}));
    let failure = bench(&server).about("5502").state().await.unwrap_err();
    assert_eq!(
        failure,
        refused(format!("{} answered 404 Not Found: look at the url of the shop's api", server.host()))
    );
}

#[tokio::test]
async fn answers_that_are_no_orders_are_refused() {
    for answer in [json!([]), json!({"id": 5501}), json!({"status": null})] {
        let server = shop(answer.clone(), answer);
        let expected = refused(format!("{} answered something else than an order with its status", server.host()));
        let bench = bench(&server);
        assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
    }
}

#[tokio::test]
async fn a_secret_without_a_colon_is_refused() {
    let server = shop(order("pending", None), json!({}));
    let failure = bench(&server).knowing("ck_key").state().await.unwrap_err();
    assert_eq!(failure, unavailable("secret \"shop-secret\": expected user:password"));
    assert!(server.requests().is_empty());
}
