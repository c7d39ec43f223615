//! `docs/permissions.md`: every grant, and what needs it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ordersync::aws::variable;

use super::role::granted;
use super::{FUNCTIONS, Need, need};

const HEAD: &str = "# Permissions

<!-- Written by the end-to-end tests from template.yaml and from what they show. Do not edit: UPDATE_DOCS=1 writes it. -->

Every action that a function's role is granted, and what it is needed for. The end-to-end tests take each away in
turn, on an emulator that enforces the policies, and fail where nothing fails: so there is no grant that nothing needs. They also
try with each role what it is not for: to read another's secrets, to write outside its prefixes, to use another's queue.

| Shown | It means |
|---|---|
| test | taken away in the end-to-end tests |
| unit test | the code that needs it runs in a unit test; too rare to be brought about on a stack |
| Lambda | Lambda uses it on behalf of the function, and refuses the function without it; the emulator does not ask ([SQS](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html), [logs](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html)) |
| S3 | without it, S3 says of what is not there that access is denied ([GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)); the emulator says in any case that it is not there |

Some parameters grant more:

| Parameter | Grants | Needed, so that | Shown |
|---|---|---|---|
| `ConfigUri` | all: `s3:GetObject` under its folder | a function starts | test |
| | all: `s3:ListBucket` on its bucket | a file that is missing is called so | S3 |
| `KmsKeyArn` | all: `kms:Decrypt`, `kms:GenerateDataKey` on the key, through SQS and S3 only; those that use the table or read secrets: what these need of the key | messages, objects, rows, secrets are read and written | the emulator encrypts nothing |
| `Tracing=Active` | all: `xray:PutTraceSegments`, `xray:PutTelemetryRecords` | there are traces | Lambda |

Some are bound further, by `Condition` or `Deny`: what the console may write of the table by the keys of its rows, so that the audit log
is only added to, and of the folder in S3 it may write templates, not `ordersync.toml`.
";

fn title(function: &str) -> &str {
    match function {
        "Intake" => "intake",
        "Processor" => "processor",
        "ResetErrors" => "reset-errors",
        "CancelStale" => "cancel-stale",
        "Cleanup" => "cleanup",
        "Console" => "console",
        _ => "responses",
    }
}

/// Without the parts of an ARN that are the same everywhere.
fn short(resource: &str) -> String {
    let resource = resource.rsplit_once("${AWS::AccountId}:").map_or(resource, |(_, rest)| rest);
    resource
        .replace("arn:${AWS::Partition}:s3:::${Place}", "ConfigUri")
        .replace("arn:${AWS::Partition}:s3:::${Bucket}", "bucket of ConfigUri")
        .replace("${Bucket.Arn}", "Bucket")
        .replace("${Table.Arn}", "Table")
        .replace(".Arn", "")
        .replace(['$', '{', '}'], "")
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for (function, _) in FUNCTIONS {
        write!(text, "\n## {}\n\n| Action | On | Needed, so that | Shown |\n|---|---|---|---|\n", title(function))
            .unwrap();
        for grant in granted(function) {
            let need =
                need(function, &grant).unwrap_or_else(|| panic!("{function}: nothing is known that needs {grant}"));
            let (what, shown) = match need {
                Need::Work(what, _) | Need::Second(what) => (what, "test"),
                Need::S3(what, _) => (what, "S3"),
                Need::Unit(what) => (what, "unit test"),
                Need::Lambda(what) => (what, "Lambda"),
            };
            writeln!(text, "| `{}` | `{}` | {what} | {shown} |", grant.action, short(&grant.resource)).unwrap();
        }
    }
    text
}

#[test]
fn the_page_has_every_grant_and_what_needs_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let document = document();
    if variable("UPDATE_DOCS").is_some() {
        fs::write(&path, &document).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), document, "UPDATE_DOCS=1 writes it anew");
}
