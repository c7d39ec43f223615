//! The configuration in S3: a second stack, of the same template, that has it there.

use ordersync::aws;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::console::need;
use super::role::{Grant, Role, granted};
use super::{Need, WORKS_WITHIN};
use crate::console::Program;
use crate::support::account::{Second, query};
use crate::support::shop::order;
use crate::support::stack::{Stack, json as body};

const BUCKET: &str = "it-config";
const TEMPLATE: &str = "erp-order.json.j2";
const TEXT: &str = include_str!("../../config/erp-order.json.j2");

/// Deploys the template again, with the tests' configuration in S3.
async fn deploy(stack: &Stack) -> Second<'_> {
    stack.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let versions = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    stack.s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(versions).send().await.unwrap();
    for (key, text) in
        [("eu/erp/ordersync.toml", include_str!("../../config/ordersync.toml")), ("eu/erp/erp-order.json.j2", TEXT)]
    {
        let put = stack.s3.put_object().bucket(BUCKET).key(key);
        put.body(text.as_bytes().to_vec().into()).send().await.unwrap();
    }
    let uri = format!("s3://{BUCKET}/eu/erp");
    Second::deploy(stack, "ordersync-from-s3", &[("ConfigUri", &uri), ("WebhookSecrets", "*webhook*")]).await
}

/// Whether a new instance of intake starts and answers, which it does for a shop that there is not too.
async fn starts(stack: &Stack, function: &str) -> bool {
    let path = format!("/2015-03-31/functions/{function}");
    let restart = stack.api(Method::PUT, "lambda", &format!("{path}/configuration"));
    assert!(restart.body(json!({ "Timeout": 10 }).to_string()).send().await.unwrap().status().is_success());
    let event = include_str!("../../../events/intake-generic.json");
    let invoke = stack.invocation(function).body(event).send();
    match tokio::time::timeout(WORKS_WITHIN, invoke).await {
        Ok(Ok(answer)) => body(answer).await["statusCode"].is_number(),
        _ => false,
    }
}

async fn set(stack: &Stack, arn: &str, document: &Value) {
    let document = document.to_string();
    let version = [("PolicyArn", arn), ("PolicyDocument", document.as_str()), ("SetAsDefault", "true")];
    query(stack, "iam", "2010-05-08", "CreatePolicyVersion", &version).await;
}

/// Saves the template, looks at its versions, and makes the first live again. The status of whichever failed first.
async fn change_templates(ada: &Program) -> StatusCode {
    let path = format!("/templates/{TEMPLATE}");
    let sample = json!({ "webhook": { "shop": "it-admin", "body": order("tpl").to_string() } });
    let (status, live) = ada.told(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{live}");
    let changed = json!({ "text": format!("{TEXT}\n"), "tag": live["tag"], "sample": sample });
    let (status, saved) = ada.told(Method::PUT, &path, Some(changed)).await;
    if status != StatusCode::OK {
        return status;
    }
    let (status, versions) = ada.told(Method::GET, &format!("{path}/versions"), None).await;
    if status != StatusCode::OK {
        return status;
    }
    let first = versions.as_array().unwrap().last().unwrap();
    let back = json!({ "version": first["version"], "tag": saved["tag"], "sample": sample });
    ada.told(Method::POST, &format!("{path}/roll-back"), Some(back)).await.0
}

/// What the console's role is refused in the bucket of the configuration.
async fn stays_in_its_folder(stack: &Stack, role: &Role) {
    let [id, secret, token] = role.credentials(stack).await;
    let s3 = aws::s3_client(&aws::sdk_config().unwrap().signing_as(&id, &secret, &token));
    for key in ["eu/erp/ordersync.toml", "eu/other.j2", "other.j2"] {
        let put = s3.put_object().bucket(BUCKET).key(key).send().await;
        assert_eq!(put.unwrap_err().raw_response().unwrap().status().as_u16(), 403, "{key}");
    }
    for (prefix, expected) in [("eu/erp/x", true), ("us/erp/x", false), ("e", false)] {
        let listed = s3.list_object_versions().bucket(BUCKET).prefix(prefix).send().await;
        assert_eq!(listed.is_ok(), expected, "{prefix}: {listed:?}");
    }
}

#[tokio::test]
async fn to_read_the_configuration_in_s3_and_to_change_its_templates_is_needed() {
    let stack = Stack::get();
    let second = deploy(&stack).await;
    let ada = Program::at(&second.url().await, "ada").await;
    let role = Role::named(&stack, second.physical("ConsoleRole").await).await;
    let grants: Vec<Grant> = granted("Console");
    let grants: Vec<_> = grants.iter().filter(|grant| matches!(need(grant), Some(Need::Second(_)))).collect();
    assert_eq!(grants.len(), 3);
    assert_eq!(change_templates(&ada).await, StatusCode::OK);
    for grant in grants {
        role.take_away(&stack, grant).await;
        assert_eq!(change_templates(&ada).await, StatusCode::SERVICE_UNAVAILABLE, "{grant}");
        role.put_back(&stack).await;
    }
    stays_in_its_folder(&stack, &role).await;

    let (function, policy) = (second.physical("IntakeFunction").await, second.physical("ReadConfiguration").await);
    assert!(starts(&stack, &function).await);
    let list = json!({ "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}") });
    set(&stack, &policy, &json!({ "Version": "2012-10-17", "Statement": [list] })).await;
    assert!(!starts(&stack, &function).await, "it starts without s3:GetObject");
    second.delete().await;
}
