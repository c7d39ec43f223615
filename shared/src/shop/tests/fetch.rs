//! BigCommerce: the whole order from its parts.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const ORDER: &str = r#"{ "id": 5501, "total_inc_tax": "129.90", "big": 9007199254740993.10, "tab": "\t" }"#;

/// A store with the order 5501, `products` as pages and the given addresses. A page that is empty has no body.
fn shop(products: Vec<String>, addresses: &'static str) -> Server {
    Server::start(move |request, stream| {
        let (path, query) = request.line.split(' ').nth(1).unwrap().split_once('?').unwrap_or_default();
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let page: usize = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(0);
        let body = match path {
            "/base/v2/orders/5501/products" => products.get(page.wrapping_sub(1)).cloned().unwrap_or_default(),
            "/base/v2/orders/5501/shipping_addresses" if page == 1 => addresses.to_owned(),
            "" if request.line == "GET /base/v2/orders/5501 HTTP/1.1" => ORDER.to_owned(),
            _ => String::new(),
        };
        match (path, body.as_str()) {
            ("", "") => reply(stream, "404 Not Found", &[], r#"[{"status": 404, "message": "Not found."}]"#),
            (_, "") => reply(stream, "204 No Content", &[], ""),
            (_, body) => reply(stream, "200 OK", &[], body),
        }
    })
}

async fn fetch(server: &Server, id: &str) -> Result<String, ShopFailure> {
    let bench = Bench::to("bigcommerce", server, "");
    let fetched = bench.api.fetch(&bench.clients, id, Instant::now() + AMPLE).await;
    fetched.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn page(from: usize, to: usize) -> String {
    json!((from..to).map(|id| json!({ "id": id })).collect::<Vec<_>>()).to_string()
}

fn products(composite: &str) -> Vec<u64> {
    let composite: serde_json::Value = serde_json::from_str(composite).unwrap();
    composite["products"].as_array().unwrap().iter().map(|product| product["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_parts_are_put_together_byte_for_byte() {
    let server = shop(vec![r#"[{"id":1,"price": 64.950}, {"id":2}]"#.into()], r#"[ {"city": "Åbenrå"} ]"#);
    let expected = format!(
        r#"{{"order":{ORDER},"products":[{{"id":1,"price": 64.950}},{{"id":2}}],"shipping_addresses":[{{"city": "Åbenrå"}}]}}"#
    );
    assert_eq!(fetch(&server, "5501").await, Ok(expected));
    assert!(server.requests().iter().all(|request| request.headers["x-auth-token"] == "token-of-the-shop"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_order_of_downloads_has_no_address() {
    let server = shop(vec![page(0, 1)], "");
    assert!(fetch(&server, "5501").await.unwrap().ends_with(r#""shipping_addresses":[]}"#));
}

#[tokio::test]
async fn all_pages_of_products_are_read_whatever_their_length() {
    // As many as were asked for, then fewer; the API's default number at a time; a last page that is full.
    for (pages, count) in [
        (vec![page(0, 250), page(250, 500), page(500, 512)], 512),
        (vec![page(0, 50), page(50, 100), page(100, 101)], 101),
        (vec![page(0, 50)], 50),
        (vec![], 0),
    ] {
        let server = shop(pages, "[]");
        assert_eq!(products(&fetch(&server, "5501").await.unwrap()), (0..count).collect::<Vec<u64>>());
    }
}

#[tokio::test]
async fn pages_that_never_end_are_given_up() {
    let server = shop(vec![page(0, 50); 200], "[]");
    assert_eq!(fetch(&server, "5501").await, Err(refused("products of the order: more than 100 pages")));
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    assert_eq!(fetch(&shop(vec![], ""), "5502").await, Err(ShopFailure::NotFound));
    let expected = "the order's identifier: expected a whole number, as the platform has";
    assert_eq!(fetch(&shop(vec![], ""), "../orders").await, Err(refused(expected)));
}

#[tokio::test]
async fn another_order_than_was_asked_for_is_refused() {
    let server = Server::answering("200 OK", &[], r#"{"id": 7}"#);
    let expected = format!("{} answered something else than the order that was asked for", server.host());
    assert_eq!(fetch(&server, "5501").await, Err(refused(expected)));
}

#[tokio::test]
async fn a_part_that_fails_fails_the_whole() {
    for (status, headers, body, expected) in [
        (
            "429 Too Many",
            &["x-rate-limit-time-reset-ms: 500"][..],
            "",
            ShopFailure::Throttled { after: Duration::from_millis(500) },
        ),
        ("200 OK", &[], "{}", refused("{host} answered something else than a list")),
        ("500 Oops", &[], "", unavailable("{host} answered 500 Internal Server Error")),
    ] {
        let server = Server::start(move |request, stream| match request.line.contains("/products") {
            true => reply(stream, status, headers, body),
            false if request.line.contains("/shipping") => reply(stream, "200 OK", &[], "[]"),
            false => reply(stream, "200 OK", &[], ORDER),
        });
        let named = |text: String| text.replace("{host}", &server.host());
        let expected = match expected {
            ShopFailure::Refused(text) => ShopFailure::Refused(named(text)),
            ShopFailure::Unavailable(text) => ShopFailure::Unavailable(named(text)),
            other => other,
        };
        assert_eq!(fetch(&server, "5501").await, Err(expected), "{status}");
    }
}
