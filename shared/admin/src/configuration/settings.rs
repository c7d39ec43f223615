//! The values of a document, and those that it leaves out. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use ordersync::config::{Config, KeepPayload, Pipeline};
use toml::de::{DeTable, DeValue};

use super::{Origin, Setting, line};

/// Every value of a document that can be read, with its line.
pub(super) fn of_document(text: &str) -> Vec<Setting> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    table(document.get_ref(), "", text, &mut found);
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, setting)| setting).collect()
}

type Found = Vec<(usize, Setting)>;

fn table(table: &DeTable<'_>, path: &str, text: &str, found: &mut Found) {
    for (key, value) in table {
        let key = key.get_ref();
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        node(value.get_ref(), value.span().start, &path, text, found);
    }
}

fn node(value: &DeValue<'_>, at: usize, path: &str, text: &str, found: &mut Found) {
    match value {
        DeValue::Table(values) => table(values, path, text, found),
        DeValue::Array(values) if values.iter().any(|value| value.get_ref().is_table()) => {
            for (index, value) in values.iter().enumerate() {
                node(value.get_ref(), value.span().start, &format!("{path}[{index}]"), text, found);
            }
        }
        _ => {
            let number = text.get(..at).unwrap_or(text).bytes().filter(|byte| *byte == b'\n').count() + 1;
            found.push((at, Setting { path: path.to_owned(), value: written(value), from: line(number) }));
        }
    }
}

/// A value as a document writes it.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            format!("[{}]", values.iter().map(|value| written(value.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(_) => "{}".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What the document leaves out, with the values that count then.
pub(super) fn left_out(config: &Config, written: &[Setting]) -> Vec<Setting> {
    let known: BTreeSet<&str> = written.iter().map(|setting| setting.path.as_str()).collect();
    let mut all = Vec::new();
    for (index, pipeline) in config.pipelines.iter().enumerate() {
        let of_pipeline = of_pipeline(pipeline).into_iter();
        all.extend(of_pipeline.map(|(name, value)| (format!("pipelines[{index}].{name}"), value)));
    }
    let faults = config.reset_errors.faults.iter().map(|fault| quoted(fault.name())).collect::<Vec<_>>();
    let find_by = [("number", config.find_by.number), ("customer", config.find_by.customer)];
    let find_by = find_by.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| quoted(name)).collect::<Vec<_>>();
    all.extend([
        ("reset_errors.after".to_owned(), length(config.reset_errors.after)),
        ("reset_errors.max_resets".to_owned(), config.reset_errors.max_resets.to_string()),
        ("reset_errors.faults".to_owned(), format!("[{}]", faults.join(", "))),
        ("ledger.find_by".to_owned(), format!("[{}]", find_by.join(", "))),
    ]);
    let is_left_out = |(path, _): &(String, String)| !known.contains(path.as_str());
    let setting = |(path, value)| Setting { path, value, from: Origin::Default };
    all.into_iter().filter(is_left_out).map(setting).collect()
}

fn of_pipeline(pipeline: &Pipeline) -> Vec<(&'static str, String)> {
    let on = pipeline.on.iter().map(|event| quoted(event.name())).collect::<Vec<_>>();
    let keep = match pipeline.keep_payload {
        KeepPayload::Always => "always",
        KeepPayload::UntilExported => "until-exported",
    };
    vec![
        ("on", format!("[{}]", on.join(", "))),
        ("retries.max_attempts", pipeline.retries.max_attempts.to_string()),
        ("retries.base", length(pipeline.retries.base)),
        ("retries.cap", length(pipeline.retries.cap)),
        ("keep_payload", quoted(keep)),
    ]
}

/// A length of time in the largest unit that says it exactly.
fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let text = match seconds {
        0 => format!("{}ms", time.as_millis()),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    };
    quoted(&text)
}
