//! The console, as a browser or a program asks it.

mod access;
mod api;
mod browser;
mod contract;
mod events;
mod provider;
mod without;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

pub(crate) use api::Program;

use crate::support::stack::variable;

/// The password of all users of the tests' secret: `ada`, an operator, `bob` and `eve`, viewers.
const PASSWORD: &str = "correct horse battery staple";

/// Somebody with a browser, signed in or not.
pub(crate) struct Visitor {
    client: Client,
    url: String,
    cookie: Option<String>,
}

impl Visitor {
    pub(crate) fn new() -> Self {
        Self::at(&variable("CONSOLE_URL").replace("/console", ""))
    }

    /// One of another stack's console.
    pub(crate) fn at(url: &str) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { client, url: format!("{url}/console"), cookie: None }
    }

    pub(crate) async fn signed_in(name: &str) -> Self {
        let mut visitor = Self::new();
        let answer = visitor.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{:?}", answer.text().await);
        assert_eq!(answer.headers()[LOCATION], "../console");
        visitor.keep(&answer);
        visitor
    }

    /// Keeps the cookie of an answer.
    fn keep(&mut self, answer: &Response) {
        let set = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).expect("a cookie");
        self.cookie = set.split(';').next().map(ToOwned::to_owned);
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Response {
        self.post("/sign-in", &[("name", name), ("password", password)]).await
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        let request = self.cookie.iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.send(self.client.post(format!("{}{path}", self.url)).form(form)).await
    }

    /// A page's text, which has to be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// What forms of this session carry.
    async fn csrf(&self) -> String {
        let page = self.page("/configuration").await;
        page.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    }
}
