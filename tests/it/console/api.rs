//! The JSON API.

use ordersync::ledger::Status;
use ordersync::pipeline::idempotency_key;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{PASSWORD, Visitor};
use crate::support::shop::{generic, order};
use crate::support::stack::{Stack, variable};

/// A program with a token, or without.
pub(crate) struct Program {
    pub(super) client: reqwest::Client,
    pub(super) url: String,
    pub(super) token: Option<String>,
}

impl Program {
    pub(crate) async fn of(name: &str) -> Self {
        Self::nobody().signed_in(name).await
    }

    /// One that has signed in at another stack's API.
    pub(crate) async fn at(url: &str, name: &str) -> Self {
        Self { url: format!("{url}/api/v1"), ..Self::nobody() }.signed_in(name).await
    }

    async fn signed_in(mut self, name: &str) -> Self {
        let answer = self.ask(Method::POST, "/token", Some(json!({ "name": name, "password": PASSWORD }))).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let granted: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        self.token = Some(granted["token"].as_str().unwrap().to_owned());
        self
    }

    pub(super) fn nobody() -> Self {
        let client = Visitor::new().client;
        Self { client, url: variable("CONSOLE_URL").replace("/console", "/api/v1"), token: None }
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = self.token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let request = body
            .iter()
            .fold(request, |request, body| request.header(CONTENT_TYPE, "application/json").body(body.to_string()));
        request.send().await.unwrap()
    }

    pub(crate) async fn told(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let answer = self.ask(method, path, body).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status} {text}")))
    }
}

#[tokio::test]
async fn a_token_shows_who_asks_and_a_cookie_changes_nothing() {
    let (status, problem) = Program::nobody().told(Method::GET, "/overview", None).await;
    assert_eq!((status, &problem["status"]), (StatusCode::UNAUTHORIZED, &json!(401)));
    let bob = Program::of("bob").await;
    assert_eq!(bob.told(Method::GET, "/overview", None).await.0, StatusCode::OK);
    let pause = Some(json!({ "reason": "to try" }));
    let (status, problem) = bob.told(Method::PUT, "/pauses/it-nothing", pause.clone()).await;
    assert_eq!(
        (status, &problem["detail"]),
        (StatusCode::FORBIDDEN, &json!("that is for operators; you are signed in as a viewer"))
    );
    let (status, problem) = Program::of("ada").await.told(Method::PUT, "/pauses/it-nothing", pause).await;
    assert_eq!(
        (status, &problem["detail"]),
        (StatusCode::NOT_FOUND, &json!("no pipeline \"it-nothing\" is configured"))
    );
    let visitor = Visitor::signed_in("ada").await;
    let url = format!("{}/pauses/it-nothing", Program::nobody().url);
    let request = visitor.client.put(url).header("content-type", "application/json").body("{}");
    assert_eq!(visitor.send(request).await.status(), StatusCode::UNAUTHORIZED, "a browser's cookie is not enough");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told() {
    let ada = Program::of("ada").await;
    for (method, path, body, status, detail) in [
        (Method::GET, "/exports?limit=many", None, 422, "limit"),
        (Method::GET, "/exports?cursor=none", None, 404, "cursor: expected"),
        (Method::GET, "/orders/acme/none", None, 404, "there is no order"),
        (Method::GET, "/nothing", None, 404, "there is no /api/v1/nothing"),
        (Method::DELETE, "/exports", None, 405, "nothing here for a DELETE request"),
        (Method::POST, "/exports/act", Some(json!({ "action": "explode" })), 422, "unknown variant"),
        (Method::POST, "/token", Some(json!({ "name": "ada", "password": "wrong" })), 401, "wrong"),
    ] {
        let (found, problem) = ada.told(method, path, body).await;
        assert_eq!(found.as_u16(), status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{path}: {problem}");
    }
}

#[tokio::test]
async fn the_description_names_every_endpoint_and_is_whole() {
    let (status, description) = Program::nobody().told(Method::GET, "/openapi.json", None).await;
    assert_eq!((status, &description["openapi"]), (StatusCode::OK, &json!("3.1.0")));
    assert!(description["paths"]["/api/v1/orders/{shop}/{order}"]["get"]["responses"]["200"].is_object());
    let text = description.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(description["components"]["schemas"][reference].is_object(), "{reference}");
    }
}

#[tokio::test]
async fn an_identifier_may_have_any_sign() {
    let stack = Stack::get();
    let id = "odd/1?a=b#~2F%";
    stack.accept("it-large", &generic(&order(id))).await;
    stack.export("it-large", id, "large", Status::Exported).await;
    let path = "/orders/it-large/odd~2F1~3Fa~3Db~23~7E2F~25";
    let (status, found) = Program::of("bob").await.told(Method::GET, path, None).await;
    assert_eq!((status, &found["order"]["order"]), (StatusCode::OK, &json!(id)));
    let bob = Visitor::signed_in("bob").await;
    let key = idempotency_key("it-large", id, "large").replace('%', "%25");
    let found = bob.get(&format!("/search?q={key}")).await;
    let to = found.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(to.ends_with(path.trim_start_matches('/')), "{to}");
    assert_eq!(bob.get(path).await.status(), StatusCode::OK);
    let payload = bob.get(&format!("{path}/large/payload")).await;
    assert_eq!(payload.status(), StatusCode::OK);
}
