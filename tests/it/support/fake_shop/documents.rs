//! Orders as the platforms' APIs answer them, and what becomes of them.

use serde_json::{Value, json};

use super::Kind;

/// An order that waits for its payment.
pub(super) fn unpaid(kind: Kind, id: &str, method: &str) -> Value {
    let number = || serde_json::from_str::<Value>(id).unwrap();
    match kind {
        Kind::Magento => json!({
            "entity_id": number(), "increment_id": format!("N-{id}"), "state": "new", "status": "pending",
            "grand_total": 129.9, "total_due": 129.9, "payment": { "method": method },
            "updated_at": "2026-03-01 08:30:00"
        }),
        Kind::Shopify => json!({
            "cancelledAt": null, "displayFinancialStatus": "PENDING", "displayFulfillmentStatus": "UNFULFILLED",
            "paymentGatewayNames": [method], "fullyPaid": false, "updatedAt": "2026-03-01T08:30:00Z"
        }),
        Kind::WooCommerce => json!({
            "id": number(), "number": id, "status": "on-hold", "payment_method": method, "date_paid": null,
            "date_paid_gmt": null, "date_modified_gmt": "2026-03-01T08:30:00"
        }),
        Kind::Shopware => json!({
            "id": id, "orderNumber": format!("N-{id}"), "stateMachineState": { "technicalName": "open" },
            "updatedAt": "2026-03-01T08:30:00.000+00:00",
            "transactions": [{ "id": "t", "stateMachineState": { "technicalName": "open" },
                "paymentMethod": { "technicalName": method } }]
        }),
        Kind::BigCommerce => json!({
            "id": number(), "status_id": 7, "status": "Awaiting Payment", "payment_method": method,
            "payment_status": "", "date_modified": "Sun, 01 Mar 2026 08:30:00 +0000"
        }),
        Kind::Generic => json!({
            "id": id, "number": format!("N-{id}"), "state": "open", "updated_at": "2026-03-01T08:30:00Z",
            "payment": { "method": method, "state": "open", "paid": false }
        }),
    }
}

/// The payment comes in.
pub(super) fn pay(kind: Kind, order: &mut Value) {
    match kind {
        Kind::Magento => {
            (order["state"], order["status"]) = (json!("processing"), json!("processing"));
            (order["total_due"], order["total_paid"]) = (json!(0), order["grand_total"].clone());
        }
        Kind::Shopify => (order["displayFinancialStatus"], order["fullyPaid"]) = (json!("PAID"), json!(true)),
        Kind::WooCommerce => {
            order["status"] = json!("processing");
            (order["date_paid"], order["date_paid_gmt"]) = (json!("2026-03-01T09:00:00"), json!("2026-03-01T09:00:00"));
        }
        Kind::Shopware => order["transactions"][0]["stateMachineState"]["technicalName"] = json!("paid"),
        Kind::BigCommerce => {
            (order["status_id"], order["status"]) = (json!(11), json!("Awaiting Fulfillment"));
            order["payment_status"] = json!("captured");
        }
        Kind::Generic => (order["payment"]["state"], order["payment"]["paid"]) = (json!("paid"), json!(true)),
    }
}

/// It is cancelled.
pub(super) fn cancel(kind: Kind, order: &mut Value) {
    match kind {
        Kind::Magento => (order["state"], order["status"]) = (json!("canceled"), json!("canceled")),
        Kind::Shopify => order["cancelledAt"] = json!("2026-03-01T09:00:00Z"),
        Kind::WooCommerce => order["status"] = json!("cancelled"),
        Kind::Shopware => order["stateMachineState"]["technicalName"] = json!("cancelled"),
        Kind::BigCommerce => (order["status_id"], order["status"]) = (json!(5), json!("Cancelled")),
        Kind::Generic => order["state"] = json!("canceled"),
    }
}

/// Whether it is cancelled.
pub(super) fn is_canceled(kind: Kind, order: &Value) -> bool {
    match kind {
        Kind::Magento | Kind::Generic => order["state"] == "canceled",
        Kind::Shopify => order["cancelledAt"].is_string(),
        Kind::WooCommerce => order["status"] == "cancelled",
        Kind::Shopware => order["stateMachineState"]["technicalName"] == "cancelled",
        Kind::BigCommerce => order["status_id"] == 5,
    }
}

/// Whether Magento's and Shopware's own rules let it be cancelled. The others cancel what they are told to.
pub(super) fn can_be_canceled(kind: Kind, order: &Value) -> bool {
    match kind {
        Kind::Magento => order["state"] == "new",
        Kind::Shopware => matches!(order["stateMachineState"]["technicalName"].as_str(), Some("open" | "in_progress")),
        Kind::Shopify => !is_canceled(kind, order),
        Kind::WooCommerce | Kind::BigCommerce | Kind::Generic => true,
    }
}
