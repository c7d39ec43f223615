//! Users of an identity provider: the API's authorizer knows them, not the console.

use reqwest::header::COOKIE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Program, Visitor};
use crate::support::account::Second;
use crate::support::shop::{generic, order};
use crate::support::stack::{Stack, json as body};

const PASSWORD: &str = "Correct-horse-7";

/// A pool of users, and the app that they sign in to.
struct Provider<'s> {
    stack: &'s Stack,
    pool: String,
    app: String,
}

impl<'s> Provider<'s> {
    async fn start(stack: &'s Stack) -> Self {
        let made = ask(stack, "CreateUserPool", json!({ "PoolName": "it-console" })).await;
        let pool = made["UserPool"]["Id"].as_str().unwrap().to_owned();
        let app =
            json!({ "UserPoolId": pool, "ClientName": "it", "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"] });
        let made = ask(stack, "CreateUserPoolClient", app).await;
        let app = made["UserPoolClient"]["ClientId"].as_str().unwrap().to_owned();
        Self { stack, pool, app }
    }

    /// The token of a user in a group.
    async fn token(&self, user: &str, group: &str) -> String {
        let (pool, stack) = (&self.pool, self.stack);
        let email = json!([{ "Name": "email", "Value": format!("{user}@acme.example") }]);
        ask(stack, "AdminCreateUser", json!({ "UserPoolId": pool, "Username": user, "UserAttributes": email })).await;
        let password = json!({ "UserPoolId": pool, "Username": user, "Password": PASSWORD, "Permanent": true });
        ask(stack, "AdminSetUserPassword", password).await;
        ask(stack, "CreateGroup", json!({ "UserPoolId": pool, "GroupName": group })).await;
        ask(stack, "AdminAddUserToGroup", json!({ "UserPoolId": pool, "Username": user, "GroupName": group })).await;
        let credentials = json!({ "USERNAME": user, "PASSWORD": PASSWORD });
        let sign_in = json!({
            "UserPoolId": pool, "ClientId": self.app, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": credentials,
        });
        let signed_in = ask(stack, "AdminInitiateAuth", sign_in).await;
        signed_in["AuthenticationResult"]["IdToken"].as_str().unwrap_or_else(|| panic!("{signed_in}")).to_owned()
    }
}

async fn ask(stack: &Stack, action: &str, request: Value) -> Value {
    let asked = stack.api(Method::POST, "cognito-idp", "/").header("content-type", "application/x-amz-json-1.1");
    let asked = asked.header("x-amz-target", format!("AWSCognitoIdentityProviderService.{action}"));
    let answer = asked.body(request.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{action}: {:?}", answer.text().await);
    body(answer).await
}

async fn deploy<'s>(stack: &'s Stack, provider: &Provider<'_>) -> Second<'s> {
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{}", provider.pool);
    let parameters = [
        ("ConsoleJwtIssuer", issuer.as_str()),
        ("ConsoleJwtAudience", &provider.app),
        ("ConsoleNameClaim", "email"),
        ("ConsoleRoleClaim", "cognito:groups"),
        ("WebhookSecrets", "*webhook*"),
    ];
    Second::deploy(stack, "ordersync-provider", &parameters).await
}

#[tokio::test]
async fn users_of_an_identity_provider_are_known_by_their_tokens_and_nobody_signs_in_here() {
    let stack = Stack::get();
    let provider = Provider::start(&stack).await;
    let second = deploy(&stack, &provider).await;
    let url = second.url().await;
    let program = |token: Option<String>| Program { url: format!("{url}/api/v1"), token, ..Program::nobody() };

    // The gate is the authorizer's, on every route of the console and on no other.
    let own = Program::of("ada").await.token;
    for nobody in [None, own, Some("a.b.c".to_owned())] {
        assert_eq!(program(nobody).ask(Method::GET, "/overview", None).await.status(), StatusCode::UNAUTHORIZED);
    }
    let visitor = Visitor::at(&url);
    for path in ["", "/sign-in", "/assets/console.css"] {
        assert_eq!(visitor.get(path).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let mut open = Stack::get();
    open.api_url.clone_from(&url);
    open.accept("it-cleanup", &generic(&order("provider-1"))).await;

    // The role is that of the group.
    let (bob, ada) = (provider.token("bob", "viewer").await, provider.token("ada", "operator").await);
    let pause = || Some(json!({ "reason": "to try" }));
    let viewer = program(Some(bob));
    assert_eq!(viewer.told(Method::GET, "/overview", None).await.0, StatusCode::OK);
    assert_eq!(viewer.told(Method::PUT, "/pauses/admin-erp", pause()).await.0, StatusCode::FORBIDDEN);
    let operator = program(Some(ada.clone()));
    assert_eq!(operator.told(Method::PUT, "/pauses/admin-erp", pause()).await.0, StatusCode::OK);
    let (_, audited) = operator.told(Method::GET, "/audit", None).await;
    assert_eq!(audited["entries"][0]["who"], "ada@acme.example", "{audited}");
    let eve = program(Some(provider.token("eve", "guests").await));
    assert_eq!(eve.told(Method::GET, "/overview", None).await.0, StatusCode::UNAUTHORIZED, "in no role");

    // Pages too, with forms that are of the console.
    let request = visitor.client.get(format!("{url}/console/configuration")).bearer_auth(&ada);
    let page = request.header(COOKIE, "ordersync=none").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    assert!(page.contains("ada@acme.example") && page.contains("name=\"csrf\""), "{page}");
    second.delete().await;
}
