//! What the account's owner does beside the clients: AWS's query APIs, and further stacks of the same template.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::unescape;
use reqwest::Method;

use super::eventually;
use super::stack::{Stack, variable};

/// Parameters that have nothing run by itself, and make nothing that no test looks at.
const OFF: [&str; 7] = [
    "ResetErrorsEnabled",
    "ReleaseEnabled",
    "CancelStaleEnabled",
    "CleanupEnabled",
    "Alarms",
    "Dashboard",
    "RequireTls",
];

/// What one of the query APIs answers, in XML.
pub(crate) async fn query(
    stack: &Stack,
    service: &str,
    version: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> String {
    let all = [("Action", action), ("Version", version)].into_iter().chain(parameters.iter().copied());
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form: Vec<String> = all.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let request = stack.api(Method::POST, service, "/").header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(form.join("&")).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{action}: {text}");
    text
}

/// The texts of elements without children.
pub(crate) fn between(text: &str, begin: &str, end: &str) -> Vec<String> {
    text.split(begin).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())).collect()
}

async fn cloudformation(stack: &Stack, action: &str, parameters: &[(&str, &str)]) -> String {
    query(stack, "cloudformation", "2010-05-15", action, parameters).await
}

/// Another stack, of the template and the functions of the first, with other parameters.
pub(crate) struct Second<'s> {
    stack: &'s Stack,
    name: &'static str,
}

impl<'s> Second<'s> {
    pub(crate) async fn deploy(stack: &'s Stack, name: &'static str, parameters: &[(&str, &str)]) -> Self {
        let deployed = cloudformation(stack, "GetTemplate", &[("StackName", "ordersync")]).await;
        let template = between(&deployed, "<TemplateBody>", "</TemplateBody>").remove(0);
        let key = format!("template-of-{name}.json");
        stack.put(&key, &unescape(&template).unwrap()).await;
        let template = format!("{}/{}/{key}", variable("AWS_ENDPOINT_URL"), stack.bucket);
        let is_given = |name: &str| parameters.iter().any(|(given, _)| *given == name);
        let off = OFF.into_iter().filter(|name| !is_given(name)).map(|name| (name, "false"));
        let numbered: Vec<(String, &str)> = (1..)
            .zip(off.chain(parameters.iter().copied()))
            .flat_map(|(number, (name, value))| {
                let member = |part: &str| format!("Parameters.member.{number}.Parameter{part}");
                [(member("Key"), name), (member("Value"), value)]
            })
            .collect();
        let mut form = vec![("StackName", name), ("TemplateURL", template.as_str())];
        form.extend(numbered.iter().map(|(name, value)| (name.as_str(), *value)));
        form.push(("Capabilities.member.1", "CAPABILITY_IAM"));
        form.push(("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND"));
        cloudformation(stack, "CreateStack", &form).await;
        let second = Self { stack, name };
        eventually("the second stack", async || {
            let told = second.ask("DescribeStacks", &[]).await;
            assert!(!told.contains("_FAILED<") && !told.contains("ROLLBACK"), "{told}");
            told.contains("<StackStatus>CREATE_COMPLETE<").then_some(())
        })
        .await;
        second
    }

    async fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let all: Vec<_> = [("StackName", self.name)].into_iter().chain(parameters.iter().copied()).collect();
        cloudformation(self.stack, action, &all).await
    }

    /// What is called so in the template, by the name that it has.
    pub(crate) async fn physical(&self, logical: &str) -> String {
        let told = self.ask("DescribeStackResources", &[("LogicalResourceId", logical)]).await;
        between(&told, "<PhysicalResourceId>", "</PhysicalResourceId>").remove(0)
    }

    /// The names in the template of all that was made.
    pub(crate) async fn resources(&self) -> Vec<String> {
        let told = self.ask("DescribeStackResources", &[]).await;
        between(&told, "<LogicalResourceId>", "</LogicalResourceId>")
    }

    /// Where its API answers.
    pub(crate) async fn url(&self) -> String {
        let api = self.physical("Api").await;
        format!("{}/_aws/execute-api/{api}/%24default", variable("AWS_ENDPOINT_URL"))
    }

    pub(crate) async fn delete(self) {
        self.ask("DeleteStack", &[]).await;
    }
}
