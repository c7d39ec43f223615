//! Values as text, in each of the ways that keep a value from breaking out of its place.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, State, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Escape;
use super::amounts::{Amounts, number_text};
use super::error::complaint;

impl Escape {
    /// The engine's name for it. Custom ones, so that every value passes through our formatter.
    pub(super) fn auto_escape(self) -> AutoEscape {
        match self {
            Self::Json => AutoEscape::Custom("json".into()),
            Self::Xml => AutoEscape::Custom("xml".into()),
            Self::ObjectKey => AutoEscape::Custom("object key".into()),
            Self::None => AutoEscape::None,
        }
    }

    /// What is in force at this point of the template: `{% autoescape %}` may have changed it.
    pub(super) fn of(state: &State<'_, '_>) -> Self {
        match state.auto_escape() {
            AutoEscape::Json => Self::Json,
            AutoEscape::Custom(name) if name == "json" => Self::Json,
            AutoEscape::Custom(name) if name == "object key" => Self::ObjectKey,
            AutoEscape::None => Self::None,
            _ => Self::Xml,
        }
    }

    /// The value as it goes into the document. A value marked as safe goes in as it is.
    pub(super) fn text<'v>(self, value: &'v Value, amounts: Option<&Amounts>) -> Result<Cow<'v, str>, Error> {
        if value.is_safe() {
            return plain(value, amounts);
        }
        Ok(match self {
            Self::Json if matches!(value.kind(), ValueKind::Number | ValueKind::Bool) => plain(value, amounts)?,
            Self::Json => Cow::Owned(json(value, amounts)?),
            Self::None => plain(value, amounts)?,
            Self::Xml => Cow::Owned(xml(&plain(value, amounts)?)),
            Self::ObjectKey => Cow::Owned(key_segment(&plain(value, amounts)?)),
        })
    }
}

/// The value as plain text: a null as nothing, an amount as the shop wrote it.
pub(super) fn plain<'v>(value: &'v Value, amounts: Option<&Amounts>) -> Result<Cow<'v, str>, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Cow::Borrowed(""),
        ValueKind::Bool => Cow::Borrowed(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => Cow::Owned(number_text(value, amounts)?),
        ValueKind::String => Cow::Borrowed(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            return Err(complaint("a list has no text: loop over it, or use `join` or `tojson`"));
        }
        ValueKind::Map => return Err(complaint("an object has no text: name one of its fields, or use `tojson`")),
        _ => return Err(complaint("a function or macro is to be called, with ()")),
    })
}

/// Deep enough for every order; a namespace that contains itself is deeper.
const MAX_JSON_DEPTH: usize = 128;

/// The value as a JSON literal, quotes included.
pub(super) fn json(value: &Value, amounts: Option<&Amounts>) -> Result<String, Error> {
    let mut out = String::new();
    write_json(&mut out, value, amounts, MAX_JSON_DEPTH)?;
    Ok(out)
}

fn write_json(out: &mut String, value: &Value, amounts: Option<&Amounts>, depth: usize) -> Result<(), Error> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(complaint("a value is nested too deeply to be written as JSON"));
    };
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.push_str("null"),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            out.reserve(text.len() + 2);
            write_json_string(out, text)?;
        }
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (index, element) in value.try_iter()?.enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_json(out, &element, amounts, depth)?;
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            let fields = value.as_object().and_then(minijinja::value::DynObject::try_iter_pairs);
            for (index, (name, field)) in fields.into_iter().flatten().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_json_string(out, &plain(&name, amounts)?)?;
                out.push(':');
                write_json(out, &field, amounts, depth)?;
            }
            out.push('}');
        }
        _ => out.push_str(&plain(value, amounts)?),
    }
    Ok(())
}

fn write_json_string(out: &mut String, text: &str) -> Result<(), Error> {
    // RFC 8259, section 7: nothing else has to be escaped, and most texts have nothing of it.
    if !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return Ok(());
    }
    let literal = serde_json::to_string(text).map_err(|_| complaint("a text cannot be written as JSON"))?;
    out.push_str(&literal);
    Ok(())
}

/// The text with everything replaced that means something in XML or HTML, and without what XML forbids.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().filter(|character| is_allowed_in_xml(*character)) {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Written out, because readers turn a bare one into a line feed.
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
    out
}

/// Whether XML 1.0 can contain the character at all.
pub(crate) fn is_allowed_in_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Everything but ASCII letters, digits and `-_.`: no character that a tool along the way may treat specially.
const KEY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The text as part of one segment of an object key. Different texts stay different (but for the empty one).
fn key_segment(text: &str) -> String {
    if text.is_empty() {
        "_".to_owned()
    } else if text.bytes().all(|byte| byte == b'.') {
        text.replace('.', "%2E")
    } else {
        utf8_percent_encode(text, &KEY).to_string()
    }
}

/// S3's limit, in bytes.
const MAX_KEY: usize = 1024;

/// Whether a rendered key is one that S3 and every tool along the way takes for what it is.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    if key.is_empty() {
        Err("the object key is empty")
    } else if key.len() > MAX_KEY {
        Err("the object key is longer than 1024 bytes")
    } else if key.starts_with('/') || key.split('/').any(|segment| matches!(segment, "." | "..")) {
        Err("the object key begins with / or has a segment . or ..")
    } else if key.chars().any(char::is_control) {
        Err("the object key contains a control character, perhaps a line break of the template")
    } else {
        Ok(())
    }
}

/// The value of a filter that is to go into the document without further escaping where it is already fit for it.
pub(super) fn trusted(fit: bool, text: String) -> Value {
    if fit { Value::from_safe_string(text) } else { Value::from(text) }
}
