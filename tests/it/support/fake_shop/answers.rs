//! What the platforms answer.

use serde_json::{Value, json};

use super::{Books, Entry, Kind, documents};
use crate::support::receiver::{Reply, Request};

/// What is asked, of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Token,
    State(String),
    Cancel(String),
    /// Of the job that cancels it.
    Progress(String),
    /// A list that belongs to it.
    Part(String, String),
}

/// Answers a request and changes the books.
pub(super) fn answer(kind: Kind, books: &mut Books, request: &Request) -> Reply {
    let Some(asked) = asked(kind, request) else { return no_route(kind) };
    let (name, value) = kind.credential();
    if asked != Asked::Token && request.headers.get(name).map(String::as_str) != Some(value) {
        return Reply::status("401 Unauthorized");
    }
    books.calls.push(match &asked {
        Asked::Token => "token".to_owned(),
        Asked::State(id) => format!("state {id}"),
        Asked::Cancel(id) => format!("cancel {id}"),
        Asked::Progress(id) => format!("progress {id}"),
        Asked::Part(id, _) => format!("fetch {id}"),
    });
    if books.throttled > 0 {
        books.throttled -= 1;
        return too_many(kind);
    }
    let id = match asked {
        Asked::Token => return token(request),
        Asked::State(ref id) | Asked::Cancel(ref id) | Asked::Progress(ref id) | Asked::Part(ref id, _) => id,
    };
    let Some(entry) = books.orders.get_mut(id) else { return unknown(kind, &asked) };
    match &asked {
        Asked::Cancel(_) => cancel(kind, entry),
        Asked::Progress(id) => {
            found(&json!({ "data": { "job": { "done": true }, "order": entry.document, "id": id } }))
        }
        Asked::Part(_, part) => list(if part == "products" { &entry.products } else { &entry.addresses }, request),
        Asked::State(_) | Asked::Token => state(kind, entry),
    }
}

fn asked(kind: Kind, request: &Request) -> Option<Asked> {
    let path = request.path.split('?').next()?;
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let own = |id: &&str| (*id).to_owned();
    match (kind, request.method.as_str(), segments.as_slice()) {
        (Kind::Magento, "GET", ["rest", "V1", "orders", id])
        | (Kind::WooCommerce, "GET", ["wp-json", "wc", "v3", "orders", id])
        | (Kind::BigCommerce, "GET", ["v2", "orders", id])
        | (Kind::Generic, "GET", ["orders", id]) => Some(Asked::State(own(id))),
        (Kind::Magento, "POST", ["rest", "V1", "orders", id, "cancel"])
        | (Kind::WooCommerce, "PUT", ["wp-json", "wc", "v3", "orders", id])
        | (Kind::Shopware, "POST", ["api", "_action", "order", id, "state", "cancel"])
        | (Kind::BigCommerce, "PUT", ["v2", "orders", id])
        | (Kind::Generic, "POST", ["orders", id, "cancel"]) => Some(Asked::Cancel(own(id))),
        (Kind::BigCommerce, "GET", ["v2", "orders", id, part @ ("products" | "shipping_addresses")]) => {
            Some(Asked::Part(own(id), own(part)))
        }
        (Kind::Shopware, "POST", ["api", "oauth", "token"]) => Some(Asked::Token),
        (Kind::Shopware, "POST", ["api", "search", "order"]) => {
            Some(Asked::State(own(&body(request)["ids"][0].as_str()?)))
        }
        (Kind::Shopify, "POST", ["admin", "api", _, "graphql.json"]) => query(&body(request)),
        _ => None,
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

fn query(asked: &Value) -> Option<Asked> {
    let variables = &asked["variables"];
    let id = |key: &str| Some(variables[key].as_str()?.strip_prefix("gid://shopify/Order/")?.to_owned());
    let text = asked["query"].as_str()?;
    if text.contains("orderCancel(") {
        id("orderId").map(Asked::Cancel)
    } else if text.contains("job(") {
        id("id").map(Asked::Progress)
    } else {
        id("id").map(Asked::State)
    }
}

fn found(document: &Value) -> Reply {
    Reply::ok(document.to_string())
}

fn failed(status: &'static str, document: &Value) -> Reply {
    Reply::Whole(status, Vec::new(), document.to_string())
}

fn token(request: &Request) -> Reply {
    let asked = String::from_utf8_lossy(&request.body).into_owned();
    if asked.ends_with("&client_id=it-key&client_secret=it-secret-of-the-shop") {
        return found(&json!({ "token_type": "Bearer", "expires_in": 600, "access_token": "it-token-from-shopware" }));
    }
    failed("401 Unauthorized", &json!({ "errors": [{ "title": "Client authentication failed" }] }))
}

fn state(kind: Kind, entry: &Entry) -> Reply {
    found(&match kind {
        Kind::Shopify => json!({ "data": { "order": entry.document } }),
        Kind::Shopware => json!({ "total": 1, "data": [entry.document] }),
        _ => entry.document.clone(),
    })
}

fn cancel(kind: Kind, entry: &mut Entry) -> Reply {
    if entry.is_paid_at_last {
        documents::pay(kind, &mut entry.document);
    }
    if let Some(reason) = &entry.refusal {
        return refusal(kind, reason);
    }
    if !documents::can_be_canceled(kind, &entry.document) {
        return refusal(kind, "it cannot be cancelled any more");
    }
    documents::cancel(kind, &mut entry.document);
    if kind == Kind::WooCommerce || kind == Kind::BigCommerce {
        return found(&entry.document);
    }
    found(&match kind {
        Kind::Magento => json!(true),
        Kind::Shopify => {
            let job = json!({ "id": "gid://shopify/Job/1", "done": false });
            json!({ "data": { "orderCancel": { "job": job, "orderCancelUserErrors": [] } } })
        }
        Kind::Shopware => json!({ "technicalName": "cancelled" }),
        _ => json!({ "ok": true }),
    })
}

fn refusal(kind: Kind, reason: &str) -> Reply {
    match kind {
        Kind::Magento => found(&json!(false)),
        Kind::Shopify => {
            let errors = json!([{ "code": "INVALID", "message": reason }]);
            found(&json!({ "data": { "orderCancel": { "job": null, "orderCancelUserErrors": errors } } }))
        }
        Kind::WooCommerce => failed("400 Bad Request", &json!({ "code": "rest_invalid_param", "message": reason })),
        Kind::Shopware => {
            let error = json!({ "code": "SYSTEM__ILLEGAL_STATE_TRANSITION", "status": "400", "detail": reason });
            failed("400 Bad Request", &json!({ "errors": [error] }))
        }
        Kind::BigCommerce => failed("409 Conflict", &json!([{ "status": 409, "message": reason }])),
        Kind::Generic => failed("409 Conflict", &json!({ "ok": false, "error": reason })),
    }
}

fn unknown(kind: Kind, asked: &Asked) -> Reply {
    match kind {
        Kind::Magento => {
            let message = "The entity that was requested doesn't exist. Verify the entity and try again.";
            failed("404 Not Found", &json!({ "message": message }))
        }
        Kind::Shopify if matches!(asked, Asked::Cancel(_)) => {
            let errors = json!([{ "code": "NOT_FOUND", "message": "Order does not exist" }]);
            found(&json!({ "data": { "orderCancel": { "job": null, "orderCancelUserErrors": errors } } }))
        }
        Kind::Shopify => found(&json!({ "data": { "order": null } })),
        Kind::WooCommerce => {
            let status = if matches!(asked, Asked::Cancel(_)) { "400 Bad Request" } else { "404 Not Found" };
            failed(status, &json!({ "code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID." }))
        }
        Kind::Shopware if matches!(asked, Asked::Cancel(_)) => {
            failed("404 Not Found", &json!({ "errors": [{ "code": "CHECKOUT__ORDER_ORDER_NOT_FOUND" }] }))
        }
        Kind::Shopware => found(&json!({ "total": 0, "data": [] })),
        Kind::BigCommerce => {
            failed("404 Not Found", &json!([{ "status": 404, "message": "The requested resource was not found." }]))
        }
        Kind::Generic => failed("404 Not Found", &json!({ "error": "no such order" })),
    }
}

fn no_route(kind: Kind) -> Reply {
    let message = if kind == Kind::Magento { "Request does not match any route." } else { "no such path" };
    failed("404 Not Found", &json!({ "message": message }))
}

/// Each platform's own way of saying "not so fast": two seconds.
fn too_many(kind: Kind) -> Reply {
    match kind {
        Kind::Shopify => {
            let status = json!({ "maximumAvailable": 2000.0, "currentlyAvailable": 0.0, "restoreRate": 5.0 });
            let cost = json!({ "requestedQueryCost": 10, "actualQueryCost": null, "throttleStatus": status });
            let errors = json!([{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }]);
            found(&json!({ "errors": errors, "extensions": { "cost": cost } }))
        }
        Kind::BigCommerce => {
            Reply::Whole("429 Too Many Requests", vec!["X-Rate-Limit-Time-Reset-Ms: 2000"], String::new())
        }
        _ => Reply::Whole("429 Too Many Requests", vec!["Retry-After: 2"], String::new()),
    }
}

/// A page of a list; one that is empty has no body.
fn list(all: &[Value], request: &Request) -> Reply {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let number = |key: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        pair.and_then(|number| number.parse::<usize>().ok())
    };
    let (page, limit) = (number("page").unwrap_or(1), number("limit").unwrap_or(50).min(250));
    let elements: Vec<&Value> = all.iter().skip((page - 1) * limit).take(limit).collect();
    if elements.is_empty() { Reply::status("204 No Content") } else { found(&json!(elements)) }
}
