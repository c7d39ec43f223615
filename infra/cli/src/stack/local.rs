//! The local stack, by the variables that `make up` leaves in `stack.env`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ordersync::aws::Sdk;
use ordersync::config::Location;

use super::{Parts, Stack};
use crate::exit::{Failure, file_failure};

/// Its queue's limit is not among the variables; a configuration that runs there fits it.
const MAX_RECEIVE_COUNT: u32 = 1000;
/// As the template has it.
const RETENTION: Duration = Duration::from_hours(365 * 24);
/// Longer than the processor may run there.
const ATTEMPT_TAKES: Duration = Duration::from_secs(40);
/// Where `make up` lays out what it deploys, beside the file: the configuration is the same for each function.
const CONFIG: &str = "stack/target/lambda/processor/config";

/// The stack whose variables are in `file`.
pub(super) fn find(file: &Path) -> Result<Stack, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::NotFound(format!("{} is not there: is the local stack up (make up)?", file.display()))
        }
        _ => file_failure(file, &error),
    })?;
    let variables = variables(&text);
    let get = |name: &str| {
        let value = variables.get(name).cloned();
        value.ok_or_else(|| Failure::Wrong(format!("{}: expected a line {name}=…", file.display())))
    };
    let (id, secret) = (get("AWS_ACCESS_KEY_ID")?, get("AWS_SECRET_ACCESS_KEY")?);
    let credentials = SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "the local stack"));
    let region = get("AWS_REGION").or_else(|_| get("AWS_DEFAULT_REGION"))?;
    let parts = Parts {
        table: get("TABLE")?,
        bucket: get("BUCKET")?,
        queue_url: get("QUEUE_URL")?,
        api_url: get("API_URL")?,
        processor: variables.get("FN_PROCESSOR").cloned(),
    };
    let config = file.parent().map(|state| state.join(CONFIG)).filter(|config| config.is_dir());
    Ok(Stack {
        sdk: Sdk::with_credentials(credentials, &region, Some(&get("AWS_ENDPOINT_URL")?))?,
        parts,
        config: config.map(Location::Directory),
        max_receive_count: MAX_RECEIVE_COUNT,
        retention: RETENTION,
        attempt_takes: ATTEMPT_TAKES,
    })
}

/// Lines of `NAME=value`; quotes around a value are a shell's.
fn variables(text: &str) -> BTreeMap<String, String> {
    let unquoted = |value: &str| {
        let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        inner.unwrap_or(value).to_owned()
    };
    let line = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let name = name.strip_prefix("export ").unwrap_or(name);
        (!name.starts_with('#')).then(|| (name.to_owned(), unquoted(value)))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_a_shell_reads_them() {
        let read = variables("# of the stack\nA=1\nexport B='two words'\nURL=\"http://x/?a=b\"\n\nnot one\n");
        let expected = [("A", "1"), ("B", "two words"), ("URL", "http://x/?a=b")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stack.env");
        let failure = find(&file).unwrap_err();
        assert!(matches!(&failure, Failure::NotFound(text) if text.contains("make up")), "{failure}");
        std::fs::write(&file, "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\nAWS_REGION=c\n").unwrap();
        let failure = find(&file).unwrap_err();
        assert!(matches!(&failure, Failure::Wrong(text) if text.ends_with("expected a line TABLE=…")), "{failure}");
    }
}
