//! Where response files lie, and where they are put. Pure.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Where back offices put their files: in a folder of the pipeline's name.
const FOLDER: &str = "responses/";
/// What stands behind the name of a file that failed.
const REASON: &str = ".reason.json";
/// S3's limit on keys, in bytes.
const MOST_BYTES: usize = 1024;

/// What an object is to this function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// None of its files: what it wrote itself, and what only stands for a folder.
    Passed,
    /// A file for the pipeline of this code; without one where it lies in no folder.
    File(Option<String>),
}

/// Where a file is put that was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
}

/// The key in a notification is encoded as in a query.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
pub(crate) fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// What an object of this key and size is.
pub(crate) fn place(key: &str, size: Option<i64>) -> Place {
    let Some(name) = key.strip_prefix(FOLDER) else { return Place::Passed };
    let is_folder = key.ends_with('/') && size.unwrap_or(0) == 0;
    match name.split_once('/') {
        _ if is_folder => Place::Passed,
        Some(("done" | "failed", _)) => Place::Passed,
        Some((pipeline, _)) => Place::File(Some(pipeline.to_owned())),
        None => Place::File(None),
    }
}

/// The key of a file after it was dealt with. One that would be too long is cut, and a number tells it from others.
pub(crate) fn target(key: &str, outcome: Outcome) -> String {
    let name = key.strip_prefix(FOLDER).unwrap_or(key);
    let folder = match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
    };
    let target = format!("{FOLDER}{folder}/{name}");
    let most = MOST_BYTES - REASON.len();
    if target.len() <= most {
        return target;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let end = format!("-{:016x}", hasher.finish());
    let kept = target.get(..target.floor_char_boundary(most - end.len())).unwrap_or_default();
    format!("{kept}{end}")
}

/// The key of the reason why a file failed, beside the file.
pub(crate) fn reason(target: &str) -> String {
    format!("{target}{REASON}")
}

/// An object as `x-amz-copy-source` names it.
pub(crate) fn copy_source(bucket: &str, key: &str, version: Option<&str>) -> String {
    const SET: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let version = version.map(|version| format!("?versionId={}", utf8_percent_encode(version, &SET)));
    format!("{bucket}/{}{}", utf8_percent_encode(key, &SET), version.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_of_notifications_are_decoded() {
        for (key, expected) in [
            ("responses/erp/a.json", Some("responses/erp/a.json")),
            ("responses/erp/J%C3%B6rg+%2B+1%25.json", Some("responses/erp/Jörg + 1%.json")),
            ("responses%2Ferp%2Fa", Some("responses/erp/a")),
            ("responses/erp/100%", Some("responses/erp/100%")),
            ("responses/erp/%ff", None),
        ] {
            assert_eq!(decoded(key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn an_objects_place_says_whose_file_it_is() {
        let file = |pipeline: &str| Place::File(Some(pipeline.to_owned()));
        for (key, size, expected) in [
            ("responses/erp/a.json", Some(1), file("erp")),
            ("responses/erp/2026/08/a.json", None, file("erp")),
            ("responses/erp/empty.json", Some(0), file("erp")),
            ("responses/erp/done/a.json", Some(1), file("erp")),
            ("responses/Done/a.json", Some(1), file("Done")),
            ("responses//a.json", Some(1), file("")),
            ("responses/a.json", Some(1), Place::File(None)),
            ("responses/failed", Some(1), Place::File(None)),
            ("responses/erp/odd/", Some(1), file("erp")),
            ("responses/erp/", Some(0), Place::Passed),
            ("responses/", None, Place::Passed),
            ("responses/done/erp/a.json", Some(1), Place::Passed),
            ("responses/failed/erp/a.json", Some(1), Place::Passed),
            ("responses/failed/erp/a.json.reason.json", Some(1), Place::Passed),
            ("orders/a.json", Some(1), Place::Passed),
        ] {
            assert_eq!(place(key, size), expected, "{key}");
        }
    }

    #[test]
    fn a_file_keeps_its_name() {
        let key = "responses/erp/2026/a b.json";
        assert_eq!(target(key, Outcome::Done), "responses/done/erp/2026/a b.json");
        assert_eq!(target(key, Outcome::Failed), "responses/failed/erp/2026/a b.json");
        assert_eq!(reason(&target(key, Outcome::Failed)), "responses/failed/erp/2026/a b.json.reason.json");
        let long = |end: &str| format!("responses/erp/{}{end}", "é".repeat(500));
        let (a, b) = (target(&long("a"), Outcome::Failed), target(&long("b"), Outcome::Failed));
        assert!(a != b && a.starts_with("responses/failed/erp/é"), "{a}");
    }

    #[test]
    fn a_copy_names_its_source_in_ascii() {
        assert_eq!(copy_source("b", "responses/erp/a.json", None), "b/responses/erp/a.json");
        let source = copy_source("b", "responses/erp/Jörg + 1?versionId=x%.json", Some("v/1"));
        assert_eq!(source, "b/responses/erp/J%C3%B6rg%20%2B%201%3FversionId%3Dx%25.json?versionId=v/1");
    }

    proptest! {
        #[test]
        fn wherever_a_file_is_put_it_is_passed_there(key in "responses/\\PC{1,600}") {
            for outcome in [Outcome::Done, Outcome::Failed] {
                let target = target(&key, outcome);
                prop_assert_eq!(place(&target, Some(1)), Place::Passed);
                prop_assert_eq!(place(&reason(&target), Some(1)), Place::Passed);
                prop_assert!(reason(&target).len() <= MOST_BYTES);
            }
        }
    }
}
