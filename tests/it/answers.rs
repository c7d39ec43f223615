//! What intake answers.

use reqwest::Method;

use crate::support::shop::{Signed, example, sign};
use crate::support::stack::{Stack, json};

fn plain(content_type: &str, text: &str) -> Signed {
    Signed { headers: vec![("content-type".into(), content_type.into())], body: text.into() }
}

#[tokio::test]
async fn an_accepted_order_is_named() {
    let stack = Stack::get();
    let answer = stack.post("demo-shopify", &example("shopify", "9007199254740993")).await;
    assert_eq!(answer.status(), 202);
    let body = json(answer).await;
    assert_eq!((body["order"].as_str(), body["status"].as_str()), (Some("9007199254740993"), Some("accepted")));
}

#[tokio::test]
async fn the_ping_of_woocommerce_is_answered_with_200() {
    let stack = Stack::get();
    let answer = stack.post("demo-woocommerce", &plain("application/x-www-form-urlencoded", "webhook_id=5")).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_ignored_topic_is_acknowledged_and_another_one_refused() {
    let stack = Stack::get();
    let topic = |topic| example("shopify", "7201").with("x-shopify-topic", topic);
    let answer = stack.post("demo-shopify", &topic("orders/edited")).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["status"].as_str()), (200, Some("ignored")));
    let edit = sign("shopify", br#"{"order_edit": {"id": 1, "order_id": 7201}}"#.to_vec());
    let answer = stack.post("demo-shopify", &edit.with("x-shopify-topic", "orders/edited")).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["status"].as_str()), (200, Some("ignored")));
    let answer = stack.post("demo-shopify", &topic("products/update")).await;
    assert_eq!(answer.status(), 200);
    let answer = stack.post("demo-shopify", &topic("customers/create")).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["error"].as_str()), (400, Some("topic_unknown")));
    assert!(stack.row("demo-shopify", "7201", "json").await.is_none());
}

#[tokio::test]
async fn a_body_that_no_platform_sends_is_refused_without_an_echo() {
    let stack = Stack::get();
    for text in ["no JSON: hunter2", "[]", "{}", r#"{"id": null, "secret": "hunter2"}"#, ""] {
        let answer = stack.post("demo-shopify", &sign("shopify", text.into())).await;
        assert_eq!(answer.status(), 400, "{text}");
        let body = json(answer).await;
        assert_eq!(body["error"], "body_malformed", "{text}");
        assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        assert!(!body.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn other_requests_are_told_what_was_expected() {
    let stack = Stack::get();
    let answer = stack.post("nobody", &example("shopify", "7202")).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["error"].as_str()), (404, Some("shop_unknown")));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = stack.request(method, "/webhooks/demo-shopify").await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let answer = stack.post("demo-shopify", &plain("text/xml", "<order/>")).await;
    assert_eq!((answer.status().as_u16(), json(answer).await["error"].as_str()), (415, Some("media_type_unsupported")));
}
