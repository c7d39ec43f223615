//! The roles: what the template grants, and how it is taken away from the deployed ones.

use std::fmt;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::account::{between, query};
use crate::support::stack::{Stack, variable};

/// One action on one resource, as the template grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    pub(super) sid: String,
    pub(super) action: String,
    /// As the template names it: `${Bucket.Arn}/packs/*`.
    pub(super) resource: String,
    /// Which of the statement's resources that is.
    number: usize,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", self.sid, self.action, self.resource)
    }
}

/// A value that may be one or several.
fn several(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// What a statement is about; of `!Sub` with names of its own, the text alone.
fn resources(value: &Value) -> Vec<Value> {
    let mut all = several(value);
    all.retain(Value::is_string);
    all
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), Into::into)
}

/// The template. Of its functions, such as `!Ref`, the arguments alone are left.
fn template() -> Value {
    serde_saphyr::from_str(include_str!("../../../template.yaml")).unwrap()
}

/// Everything that a function's role is granted by the template, but for what it denies.
pub(super) fn granted(function: &str) -> Vec<Grant> {
    let template = template();
    let role = format!("{function}Role");
    let resources = template["Resources"].as_object().unwrap();
    let own = resources[&role]["Properties"]["Policies"].as_array().unwrap();
    let own = own.iter().map(|policy| &policy["PolicyDocument"]);
    let further = resources.values().filter(|resource| resource["Type"] == "AWS::IAM::Policy");
    let further = further.filter(|policy| several(&policy["Properties"]["Roles"]).contains(&json!(role)));
    let documents = own.chain(further.map(|policy| &policy["Properties"]["PolicyDocument"]));
    documents.flat_map(|document| document["Statement"].as_array().unwrap()).flat_map(grants).collect()
}

/// The keys of the table that a statement of a function's role is bound to.
pub(super) fn leading_keys(function: &str, sid: &str) -> Vec<String> {
    let template = template();
    let policies = &template["Resources"][format!("{function}Role")]["Properties"]["Policies"];
    let statements = policies[0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let statement = statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    keys.as_array().unwrap().iter().map(text).collect()
}

fn grants(statement: &Value) -> Vec<Grant> {
    // `!If [condition, statement, nothing]`.
    let statement = statement.get(1).unwrap_or(statement);
    if statement["Effect"] != "Allow" {
        return Vec::new();
    }
    let actions = several(&statement["Action"]);
    let of = |(number, resource): (usize, Value)| {
        let grant = move |action: &Value| Grant {
            sid: text(&statement["Sid"]),
            action: text(action),
            resource: text(&resource),
            number,
        };
        actions.iter().map(grant).collect::<Vec<_>>()
    };
    resources(&statement["Resource"]).into_iter().enumerate().flat_map(of).collect()
}

/// The variable with the name of a deployed function.
pub(super) fn variable_of(function: &str) -> &'static str {
    match function {
        "Intake" => "FN_INTAKE",
        "Processor" => "FN_PROCESSOR",
        "ResetErrors" => "FN_RESET_ERRORS",
        "CancelStale" => "FN_CANCEL_STALE",
        "Cleanup" => "FN_CLEANUP",
        "Console" => "FN_CONSOLE",
        _ => "FN_RESPONSES",
    }
}

/// A deployed role, with the policies that it was deployed with.
pub(super) struct Role {
    name: String,
    policies: Map<String, Value>,
}

impl Role {
    pub(super) async fn of(stack: &Stack, function: &str) -> Self {
        let name = variable(variable_of(function));
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let answer = stack.api(Method::GET, "lambda", &path).send().await.unwrap();
        let configuration = crate::support::stack::json(answer).await;
        Self::named(stack, configuration["Role"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).await
    }

    /// The role of this name.
    pub(super) async fn named(stack: &Stack, name: String) -> Self {
        let listed = iam(stack, "ListRolePolicies", &[("RoleName", &name)]).await;
        let mut policies = Map::new();
        for policy in between(&listed, "<member>", "</member>") {
            let got = iam(stack, "GetRolePolicy", &[("RoleName", &name), ("PolicyName", &policy)]).await;
            let document = between(&got, "<PolicyDocument>", "</PolicyDocument>").remove(0);
            let document = percent_encoding::percent_decode_str(&document).decode_utf8().unwrap().into_owned();
            policies.insert(policy, serde_json::from_str(&document.replace("&quot;", "\"")).unwrap());
        }
        assert!(!policies.is_empty(), "{name} has no policies: {listed}");
        Self { name, policies }
    }

    /// Its policies without one grant.
    pub(super) async fn take_away(&self, stack: &Stack, grant: &Grant) {
        let mut found = 0;
        for (name, policy) in &self.policies {
            let statements = policy["Statement"].as_array().unwrap();
            if !statements.iter().any(|statement| statement["Sid"] == grant.sid) {
                continue;
            }
            found += 1;
            let left: Vec<Value> = statements.iter().flat_map(|statement| without(statement, grant)).collect();
            self.put(stack, name, &json!({ "Version": "2012-10-17", "Statement": left })).await;
        }
        assert_eq!(found, 1, "{grant} is in one policy of {}", self.name);
    }

    pub(super) async fn put_back(&self, stack: &Stack) {
        for (name, policy) in &self.policies {
            self.put(stack, name, policy).await;
        }
    }

    async fn put(&self, stack: &Stack, policy: &str, document: &Value) {
        let document = document.to_string();
        let parameters = [("RoleName", self.name.as_str()), ("PolicyName", policy), ("PolicyDocument", &document)];
        iam(stack, "PutRolePolicy", &parameters).await;
    }

    /// Credentials of the role, as the function has them.
    pub(super) async fn credentials(&self, stack: &Stack) -> [String; 3] {
        // The role is Lambda's to take on; on the emulator it is made ours as well.
        let principals = json!({ "Service": "lambda.amazonaws.com", "AWS": "arn:aws:iam::000000000000:root" });
        let statement = json!({ "Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole" });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        iam(stack, "UpdateAssumeRolePolicy", &[("RoleName", &self.name), ("PolicyDocument", &trust)]).await;
        let arn = format!("arn:aws:iam::000000000000:role/{}", self.name);
        let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "it")];
        let answer = query(stack, "sts", "2011-06-15", "AssumeRole", &parameters).await;
        ["AccessKeyId", "SecretAccessKey", "SessionToken"]
            .map(|name| between(&answer, &format!("<{name}>"), &format!("</{name}>")).remove(0))
    }
}

/// A statement without one grant: what is left of it, one statement an action and resource.
fn without(statement: &Value, grant: &Grant) -> Vec<Value> {
    if statement["Sid"] != grant.sid {
        return vec![statement.clone()];
    }
    let resources = several(&statement["Resource"]);
    // Where the template names a list by one parameter, it is one grant.
    let is_it = |number: usize, action: &str| {
        let same = action == grant.action || action.strip_suffix("Batch") == Some(&grant.action);
        same && (number == grant.number || granted_by_one_name(grant))
    };
    let mut left = Vec::new();
    for (number, resource) in resources.iter().enumerate() {
        let actions: Vec<Value> = several(&statement["Action"])
            .into_iter()
            .filter(|action| !is_it(number, action.as_str().unwrap()))
            .collect();
        if !actions.is_empty() {
            let mut one = statement.clone();
            (one["Sid"], one["Action"], one["Resource"]) =
                (json!(format!("Left{number}")), json!(actions), resource.clone());
            left.push(one);
        }
    }
    left
}

fn granted_by_one_name(grant: &Grant) -> bool {
    ["ExportObjectArns", "PackBucketArns"].contains(&grant.resource.as_str())
}

async fn iam(stack: &Stack, action: &str, parameters: &[(&str, &str)]) -> String {
    query(stack, "iam", "2010-05-08", action, parameters).await
}
