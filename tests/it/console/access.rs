//! Who gets in, and who may do what.

use reqwest::StatusCode;
use reqwest::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE};

use super::{PASSWORD, Visitor};

#[tokio::test]
async fn nobody_sees_a_page_before_signing_in_and_comes_back_to_it_then() {
    let visitor = Visitor::new();
    for (path, to) in [
        ("", "console/sign-in?next=%2E%2E%2Fconsole"),
        ("/exports?status=error", "sign-in?next=exports%3Fstatus%3Derror"),
        ("/orders/acme/1", "../../sign-in?next=orders%2Facme%2F1"),
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(
            (answer.status(), answer.headers()[LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, to),
            "{path}"
        );
    }
    let form = [("name", "ada"), ("password", PASSWORD), ("next", "exports?status=error")];
    let answer = visitor.post("/sign-in", &form).await;
    assert_eq!(answer.headers()[LOCATION], "exports?status=error");
    let form = [("name", "ada"), ("password", PASSWORD), ("next", "https://evil.example")];
    assert_eq!(visitor.post("/sign-in", &form).await.headers()[LOCATION], "../console");
}

#[tokio::test]
async fn the_cookie_is_for_this_site_alone_and_pages_say_what_browsers_must_not_do() {
    let visitor = Visitor::new();
    let answer = visitor.sign_in("ada", PASSWORD).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for flag in ["HttpOnly", "Secure", "SameSite=Strict"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    let answer = visitor.get("/sign-in").await;
    let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_wrong_name_is_told_like_a_wrong_password_and_too_many_tries_are_refused() {
    let visitor = Visitor::new();
    let name = format!("nobody-{}", ordersync::clock::now().as_nanosecond());
    let wrong = visitor.sign_in("eve", "wrong").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let wrong = wrong.text().await.unwrap().replace("eve", "*");
    for _ in 0..5 {
        let answer = visitor.sign_in(&name, "wrong").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text().await.unwrap().replace(&name, "*"), wrong);
    }
    assert_eq!(visitor.sign_in(&name, "wrong").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(visitor.sign_in(&name, PASSWORD).await.status(), StatusCode::TOO_MANY_REQUESTS, "nor the right one");
}

#[tokio::test]
async fn a_session_that_was_changed_or_ended_is_none() {
    let mut visitor = Visitor::signed_in("ada").await;
    visitor.page("/exports").await;
    let answer = visitor.post("/sign-out", &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(answer.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    let cookie = visitor.cookie.clone().unwrap();
    for bad in [format!("{cookie}x"), "ordersync=".to_owned(), cookie.replace('.', "")] {
        visitor.cookie = Some(bad);
        assert_eq!(visitor.get("/exports").await.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_form_that_is_not_of_this_session_and_a_viewer_who_tries_are_refused() {
    let (ada, bob) = (Visitor::signed_in("ada").await, Visitor::signed_in("bob").await);
    let (own, other) = (ada.csrf().await, Visitor::signed_in("ada").await.csrf().await);
    let form = |csrf: &'static str| [("do", "pause"), ("pipeline", "console-none"), ("csrf", csrf)];
    for csrf in [String::new(), "00".to_owned(), other] {
        let csrf: &'static str = csrf.leak();
        let answer = ada.post("/configuration", &form(csrf)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(answer.text().await.unwrap().contains("not from a page of this session"));
    }
    let answer = ada.post("/configuration", &form(own.leak())).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "there is no such pipeline");
    let page = bob.page("/configuration").await;
    assert!(!page.contains("name=\"csrf\""), "a viewer sees no buttons");
    for (path, form) in [
        ("/configuration", vec![("do", "pause")]),
        ("/exports/act", vec![("action", "delete"), ("key", "acme:1:erp"), ("confirmed", "yes")]),
        ("/orders/acme/1/act", vec![("action", "delete"), ("pipeline", "erp"), ("confirmed", "yes")]),
        ("/orders/acme/1/erp/payload", vec![]),
        ("/template", vec![("name", "x"), ("do", "save")]),
    ] {
        let answer = bob.post(path, &form).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text().await.unwrap().contains("that is for operators"), "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_a_page_too() {
    let visitor = Visitor::signed_in("bob").await;
    for (path, status, text) in [
        ("/nothing", StatusCode::NOT_FOUND, "there is no such page"),
        ("/orders/acme/1/erp/anything", StatusCode::BAD_REQUEST, "anything"),
        ("/sign-out", StatusCode::METHOD_NOT_ALLOWED, "nothing here for a GET request"),
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let allowed = answer.headers().get(ALLOW).cloned();
        let page = answer.text().await.unwrap();
        assert!(page.contains("</html>") && page.contains(text), "{path}: {page}");
        assert_eq!(allowed.is_some_and(|allowed| allowed == "POST"), status == StatusCode::METHOD_NOT_ALLOWED);
    }
}
