//! A stack without the console.

use reqwest::StatusCode;

use crate::support::account::Second;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

#[tokio::test]
async fn without_the_console_there_is_none_and_orders_are_taken_as_ever() {
    let stack = Stack::get();
    let parameters = [("Console", "false"), ("WebhookSecrets", "*webhook*"), ("Alarms", "true"), ("Dashboard", "true")];
    let second = Second::deploy(&stack, "ordersync-plain", &parameters).await;
    let made = second.resources().await;
    assert!(made.iter().any(|name| name == "IntakeFunction") && made.iter().any(|name| name == "AlarmsStack"));
    let of_console: Vec<_> = made.iter().filter(|name| name.contains("Console")).collect();
    assert!(of_console.is_empty(), "{of_console:?}");
    let mut plain = Stack::get();
    plain.api_url = second.url().await;
    plain.accept("it-cleanup", &generic(&order("plain-1"))).await;
    for path in ["/console", "/console/sign-in", "/api/v1/overview"] {
        let answer = plain.request(reqwest::Method::GET, path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    second.delete().await;
}
