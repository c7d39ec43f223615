//! A deployed stack, by what CloudFormation says of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudformation::types::Stack as Described;
use ordersync::aws::{Sdk, reason};
use ordersync::config::Location;

use super::{Parts, Stack};
use crate::exit::Failure;

/// Outputs and parameters of a stack, by name.
type Values = BTreeMap<String, String>;

/// The stack of this name.
pub(super) async fn find(name: &str, sdk: Sdk) -> Result<Stack, Failure> {
    let client = aws_sdk_cloudformation::Client::new(sdk.config());
    let answer = client.describe_stacks().stack_name(name).send().await;
    let answer = answer.map_err(|failure| not_described(name, &reason(&failure)))?;
    let described = answer.stacks.unwrap_or_default().into_iter().next();
    let described = described.ok_or_else(|| not_described(name, "it does not exist"))?;
    let (outputs, parameters) = (outputs(&described), parameters(&described));
    let number = |name: &str, default: u32| parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    Ok(Stack {
        parts: parts(name, &outputs)?,
        config: config(&parameters)?,
        max_receive_count: number("MaxReceiveCount", 10),
        retention: Duration::from_hours(24) * number("LedgerRetentionDays", 365),
        // A cold start comes on top.
        attempt_takes: Duration::from_secs(u64::from(number("ProcessorTimeout", 30)) + 10),
        sdk,
    })
}

/// CloudFormation says that a stack is not there as it says that a call is wrong.
fn not_described(name: &str, said: &str) -> Failure {
    if said.contains("does not exist") {
        return Failure::NotFound(format!(
            "there is no stack {name:?} in this account and region: name it with --stack"
        ));
    }
    Failure::Unreachable(format!("the stack {name:?} cannot be looked up: {said}"))
}

fn outputs(described: &Described) -> Values {
    let outputs = described.outputs().iter();
    outputs.filter_map(|output| Some((output.output_key.clone()?, output.output_value.clone()?))).collect()
}

fn parameters(described: &Described) -> Values {
    let parameters = described.parameters().iter();
    parameters.filter_map(|one| Some((one.parameter_key.clone()?, one.parameter_value.clone()?))).collect()
}

fn parts(name: &str, outputs: &Values) -> Result<Parts, Failure> {
    let get = |output: &str| {
        let value = outputs.get(output).cloned();
        value.ok_or_else(|| Failure::Wrong(format!("the stack {name:?} has no output {output}: is it ordersync's?")))
    };
    Ok(Parts {
        table: get("Table")?,
        bucket: get("Bucket")?,
        queue_url: get("QueueUrl")?,
        api_url: get("ApiUrl")?,
        processor: outputs.get("ProcessorFunction").cloned(),
    })
}

/// Where the configuration is, unless it is bundled.
fn config(parameters: &Values) -> Result<Option<Location>, Failure> {
    let uri = parameters.get("ConfigUri").filter(|uri| !uri.is_empty());
    Ok(uri.map(|uri| Location::from_uri(Some(uri), Path::new("."))).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[(&str, &str)]) -> Values {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_stack_of_another_kind_is_told_apart() {
        let ours = values(&[("Table", "t"), ("Bucket", "b"), ("QueueUrl", "q"), ("ApiUrl", "a")]);
        let expected = Parts {
            table: "t".into(),
            bucket: "b".into(),
            queue_url: "q".into(),
            api_url: "a".into(),
            processor: None,
        };
        assert_eq!(parts("x", &ours), Ok(expected));
        let other = parts("x", &values(&[("Table", "t")])).unwrap_err();
        assert_eq!(other.to_string(), "the stack \"x\" has no output Bucket: is it ordersync's?");
    }

    #[test]
    fn a_configuration_is_bundled_where_no_address_is_given() {
        assert_eq!(config(&values(&[])), Ok(None));
        assert_eq!(config(&values(&[("ConfigUri", "")])), Ok(None));
        let expected = Location::S3 { bucket: "b".into(), prefix: "c/".into() };
        assert_eq!(config(&values(&[("ConfigUri", "s3://b/c")])), Ok(Some(expected)));
        assert!(matches!(config(&values(&[("ConfigUri", "b/c")])), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_stack_that_is_not_there_is_not_aws_failing() {
        let failure = not_described("x", "ValidationError: Stack with id x does not exist");
        assert!(matches!(failure, Failure::NotFound(_)));
        assert!(matches!(not_described("x", "ExpiredToken: no"), Failure::Unreachable(_)));
    }
}
