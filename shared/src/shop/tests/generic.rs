//! Any other shop, by its settings.

use serde_json::{Value, json};

use super::*;

const SETTINGS: &str = r#"
    state = { path = "/orders/{{ order.id }}?number={{ order.number }}", order_state = "/status",
        payment_state = "/payment/status", payment_method = "/payment/method",
        paid = "response.payment.status == 'paid'", canceled = "response.status == 'storniert'",
        updated_at = "/changed" },
    cancel = { path = "/orders/{{ order.id }}/cancel", body = '{"reason": "unpaid", "number": {{ order.number }}}',
        success = "response.ok", error = "/why" }"#;

/// A shop that answers a read with `state`, and a cancellation with `status` and `answer`.
fn shop(state: Value, status: &'static str, answer: &'static str) -> Server {
    Server::start(move |request, stream| match request.line.as_str() {
        "GET /base/orders/A%2F1?number=%231001 HTTP/1.1" => reply(stream, "200 OK", &[], &state.to_string()),
        line if line.ends_with(" /base/orders/A%2F1/cancel HTTP/1.1") => reply(stream, status, &[], answer),
        _ => reply(stream, "404 Not Found", &[], ""),
    })
}

fn bench_with(server: &Server, settings: &str) -> Bench {
    Bench::to("generic", server, &settings.replace('\n', " ")).about("A/1")
}

fn bench(server: &Server) -> Bench {
    bench_with(server, SETTINGS)
}

fn order(status: &str, payment: &str) -> Value {
    json!({"status": status, "payment": {"status": payment, "method": "invoice"}, "changed": "2026-03-01T10:30:00+01:00"})
}

#[tokio::test]
async fn the_state_is_read_as_the_settings_say() {
    let server = shop(order("offen", "pending"), "200 OK", "");
    let expected = OrderState {
        order_state: Some("offen".into()),
        payment_state: Some("pending".into()),
        payment_method: Some("invoice".into()),
        is_paid: false,
        is_canceled: false,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(bench(&server).state().await, Ok(expected));
    for (order, paid, canceled) in [(order("offen", "paid"), true, false), (order("storniert", "pending"), false, true)]
    {
        let state = bench(&shop(order, "200 OK", "")).state().await.unwrap();
        assert_eq!((state.is_paid, state.is_canceled), (paid, canceled));
    }
}

#[tokio::test]
async fn a_secret_is_a_token_or_a_login() {
    let server = shop(order("offen", "pending"), "200 OK", "");
    bench(&server).state().await.unwrap();
    bench(&server).knowing("user:pass").state().await.unwrap();
    let header = r#"auth = { type = "header", name = "X-Api-Key", secret = "shop-secret" }"#;
    let url = format!("url = \"http://{}/base\", {header}, {}", server.host(), SETTINGS.replace('\n', " "));
    let (api, _, problems) = load("generic", &url, &[server.host()]);
    assert_eq!(problems, []);
    Bench { api: api.unwrap(), ..bench(&server) }.state().await.unwrap();
    let [token, login, key] = server.requests().try_into().unwrap();
    assert_eq!(token.headers["authorization"], "Bearer token-of-the-shop");
    assert_eq!(login.headers["authorization"], "Basic dXNlcjpwYXNz");
    assert_eq!(key.headers["x-api-key"], "token-of-the-shop");
}

#[tokio::test]
async fn without_settings_the_fields_have_the_names_of_our_own_order() {
    let settings =
        r#"state = { path = "/orders/{{ order.id }}?number={{ order.number }}", paid = "response.payment.paid" }"#;
    let answer = json!({"state": "Cancelled", "payment": {"state": "open", "method": "invoice", "paid": false},
        "updated_at": "2026-03-01T09:30:00Z"});
    let state = bench_with(&shop(answer, "200 OK", ""), settings).state().await.unwrap();
    let expected = OrderState {
        order_state: Some("Cancelled".into()),
        payment_state: Some("open".into()),
        payment_method: Some("invoice".into()),
        is_paid: false,
        is_canceled: true,
        updated_at: Some("2026-03-01T09:30:00Z".parse().unwrap()),
    };
    assert_eq!(state, expected);
}

#[tokio::test]
async fn an_answer_that_does_not_say_whether_it_is_paid_is_refused() {
    let server = shop(json!({"status": "offen", "payment": {}}), "200 OK", "");
    let failure = bench(&server).state().await.unwrap_err().to_string();
    assert!(failure.starts_with("state.paid cannot be told from the shop's answer: "), "{failure}");
}

#[tokio::test]
async fn an_order_is_cancelled() {
    let server = shop(json!({}), "200 OK", r#"{"ok": true}"#);
    assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Done));
    let asked = server.only_request();
    assert_eq!(asked.line, "POST /base/orders/A%2F1/cancel HTTP/1.1");
    assert_eq!(asked.text(), r##"{"reason": "unpaid", "number": "#1001"}"##);
    assert_eq!(asked.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_status_suffices_where_nothing_else_is_asked_for() {
    let settings = r#"state = { path = "/x", paid = "false" }, cancel = { method = "DELETE", path = "/orders/{{ order.id }}/cancel" }"#;
    for (status, answer, expected) in [
        ("204 No Content", "", Cancellation::Done),
        ("200 OK", "<html>", Cancellation::Done),
        ("202 Accepted", "{}", Cancellation::Started),
    ] {
        let server = shop(json!({}), status, answer);
        assert_eq!(bench_with(&server, settings).cancel().await, Ok(expected), "{status}");
        let asked = server.only_request();
        assert!(asked.line.starts_with("DELETE ") && asked.body.is_empty());
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_shops_own_words() {
    for (status, answer, expected) in [
        ("200 OK", r#"{"ok": false, "why": "shipped\n already"}"#, "shipped  already"),
        ("200 OK", r#"{"ok": false}"#, "success does not hold"),
        ("409 Conflict", r#"{"why": "shipped already"}"#, "shipped already"),
        ("409 Conflict", "<html>", "HTTP 409"),
        ("400 Bad Request", "{}", "HTTP 400"),
        ("422 Unprocessable", r#"{"why": "token-of-the-shop"}"#, "[secret]"),
    ] {
        let server = shop(json!({}), status, answer);
        assert_eq!(bench(&server).cancel().await, Ok(Cancellation::Refused(expected.into())), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_in_which_success_cannot_be_told_is_a_failure() {
    for answer in ["", "{}", "<html>", r#"{"ok": "yes"}"#] {
        let server = shop(json!({}), "200 OK", answer);
        let failure = bench(&server).cancel().await.unwrap_err();
        assert!(failure.to_string().starts_with("cancel.success cannot be told"), "{answer}: {failure}");
    }
}

#[tokio::test]
async fn an_order_that_is_gone_is_unknown() {
    for status in ["404 Not Found", "410 Gone"] {
        let server = Server::answering(status, &[], "");
        let bench = bench(&server);
        assert_eq!(
            (bench.state().await, bench.cancel().await),
            (Err(ShopFailure::NotFound), Err(ShopFailure::NotFound))
        );
    }
}

#[tokio::test]
async fn a_shop_that_can_only_be_read_cancels_nothing() {
    let server = shop(order("offen", "pending"), "200 OK", "");
    let bench = bench_with(&server, r#"state = { path = "/x", paid = "true" }"#);
    assert!(!bench.api.can_cancel());
    let expected = refused("the shop's api has no key cancel: its orders cannot be cancelled");
    assert_eq!(bench.cancel().await, Err(expected));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_identifier_that_would_lead_elsewhere_is_not_asked_for() {
    let server = Server::answering("200 OK", &[], "{}");
    let bench = bench(&server).about("..");
    let expected = refused("the path leads elsewhere than below the url of the shop's api");
    assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
    assert!(server.requests().is_empty());
}
