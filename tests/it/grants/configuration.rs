//! The configuration in S3: a second stack, of the same template, that has it there.

use quick_xml::escape::unescape;
use reqwest::Method;
use serde_json::{Value, json};

use super::role::{between, query};
use super::{FAILS_WITHIN, WORKS_WITHIN};
use crate::support::eventually;
use crate::support::stack::{Stack, json as body, variable};

const BUCKET: &str = "it-config";
const STACK: &str = "ordersync-from-s3";

async fn cloudformation(stack: &Stack, action: &str, parameters: &[(&str, &str)]) -> String {
    query(stack, "cloudformation", "2010-05-15", action, parameters).await
}

/// Deploys the template again, with the tests' configuration in S3.
async fn deploy(stack: &Stack) {
    stack.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let deployed = cloudformation(stack, "GetTemplate", &[("StackName", "ordersync")]).await;
    let template = between(&deployed, "<TemplateBody>", "</TemplateBody>").remove(0);
    for (key, text) in [
        ("template.json", &*unescape(&template).unwrap()),
        ("eu/ordersync.toml", include_str!("../../config/ordersync.toml")),
        ("eu/erp-order.json.j2", include_str!("../../config/erp-order.json.j2")),
    ] {
        let put = stack.s3.put_object().bucket(BUCKET).key(key);
        put.body(text.as_bytes().to_vec().into()).send().await.unwrap();
    }
    let template = format!("{}/{BUCKET}/template.json", variable("AWS_ENDPOINT_URL"));
    let off = ["ResetErrorsEnabled", "ReleaseEnabled", "CancelStaleEnabled", "CleanupEnabled", "Alarms", "Dashboard"];
    let uri = format!("s3://{BUCKET}/eu");
    let given = [("ConfigUri", uri.as_str()), ("WebhookSecrets", "*webhook*"), ("RequireTls", "false")];
    let given = given.into_iter().chain(off.map(|name| (name, "false")));
    let numbered: Vec<(String, &str)> = given
        .zip(1..)
        .flat_map(|((name, value), number)| {
            let member = |part: &str| format!("Parameters.member.{number}.Parameter{part}");
            [(member("Key"), name), (member("Value"), value)]
        })
        .collect();
    let mut parameters = vec![("StackName", STACK), ("TemplateURL", &template)];
    parameters.extend(numbered.iter().map(|(name, value)| (name.as_str(), *value)));
    parameters.push(("Capabilities.member.1", "CAPABILITY_IAM"));
    parameters.push(("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND"));
    cloudformation(stack, "CreateStack", &parameters).await;
    eventually("the second stack", async || {
        let told = cloudformation(stack, "DescribeStacks", &[("StackName", STACK)]).await;
        told.contains("<StackStatus>CREATE_COMPLETE<").then_some(())
    })
    .await;
}

async fn physical(stack: &Stack, logical: &str) -> String {
    let parameters = [("StackName", STACK), ("LogicalResourceId", logical)];
    let told = cloudformation(stack, "DescribeStackResources", &parameters).await;
    between(&told, "<PhysicalResourceId>", "</PhysicalResourceId>").remove(0)
}

/// Whether a new instance of intake starts and answers, which it does for a shop that there is not too.
async fn starts(stack: &Stack, function: &str) -> bool {
    let path = format!("/2015-03-31/functions/{function}");
    let restart = stack.api(Method::PUT, "lambda", &format!("{path}/configuration"));
    assert!(restart.body(json!({ "Timeout": 10 }).to_string()).send().await.unwrap().status().is_success());
    let event = include_str!("../../../events/intake-generic.json");
    let invoke = stack.api(Method::POST, "lambda", &format!("{path}/invocations")).body(event).send();
    match tokio::time::timeout(WORKS_WITHIN.max(FAILS_WITHIN), invoke).await {
        Ok(Ok(answer)) => body(answer).await["statusCode"].is_number(),
        _ => false,
    }
}

async fn set(stack: &Stack, arn: &str, document: &Value) {
    let document = document.to_string();
    let version = [("PolicyArn", arn), ("PolicyDocument", document.as_str()), ("SetAsDefault", "true")];
    query(stack, "iam", "2010-05-08", "CreatePolicyVersion", &version).await;
}

#[tokio::test]
async fn to_read_the_configuration_in_s3_is_needed() {
    let stack = Stack::get();
    deploy(&stack).await;
    let (function, policy) = (physical(&stack, "IntakeFunction").await, physical(&stack, "ReadConfiguration").await);
    assert!(starts(&stack, &function).await);
    let list = json!({ "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}") });
    set(&stack, &policy, &json!({ "Version": "2012-10-17", "Statement": [list] })).await;
    assert!(!starts(&stack, &function).await, "it starts without s3:GetObject");
    cloudformation(&stack, "DeleteStack", &[("StackName", STACK)]).await;
}
