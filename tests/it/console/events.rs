//! The sample events of `events/`, as API Gateway hands them over.

use serde_json::{Value, json};

use crate::support::stack::{Stack, variable};

async fn answered(event: &str) -> Value {
    Stack::get().invoke(&variable("FN_CONSOLE"), &serde_json::from_str(event).unwrap()).await
}

#[tokio::test]
async fn the_sample_events_are_answered() {
    let page = answered(include_str!("../../../events/console-sign-in.json")).await;
    assert_eq!(
        (&page["statusCode"], &page["headers"]["location"]),
        (&json!(303), &json!("exports?status=error")),
        "{page}"
    );
    let token = answered(include_str!("../../../events/console-api-token.json")).await;
    let granted: Value = serde_json::from_str(token["body"].as_str().unwrap()).unwrap();
    let mut overview: Value = serde_json::from_str(include_str!("../../../events/console-api-overview.json")).unwrap();
    assert_eq!(answered(&overview.to_string()).await["statusCode"], 401, "there is no token in it");
    overview["headers"]["authorization"] = json!(format!("Bearer {}", granted["token"].as_str().unwrap()));
    assert_eq!(answered(&overview.to_string()).await["statusCode"], 200);
}
