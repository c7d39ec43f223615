//! What a media type means for the text that has it.

use toml::de::DeValue;

use super::{Packing, well_formed};
use crate::template::Escape;

/// A media type such as `application/json; charset=utf-8`.
pub(super) fn read(value: &DeValue<'_>) -> Result<String, String> {
    let text = value.as_str().filter(|text| is_media_type(text));
    text.map(ToOwned::to_owned).ok_or_else(|| "a media type such as \"application/json\"".into())
}

fn is_media_type(text: &str) -> bool {
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_plain && essence(text).split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// The media type of a template that has none in the configuration, from its name without `.j2` or the like.
pub(super) fn of_template(name: &str) -> &'static str {
    let name = [".j2", ".jinja2", ".jinja"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// How values are escaped in a text of this type.
pub(super) fn escape(media_type: &str) -> Escape {
    match kind(media_type) {
        Kind::Json => Escape::Json,
        Kind::Xml | Kind::Html => Escape::Xml,
        Kind::Other => Escape::None,
    }
}

/// What is wrong with a text that claims to be of this type: line, column where known, and reason.
pub(super) fn check(media_type: &str, text: &str) -> Result<(), String> {
    match kind(media_type) {
        Kind::Json => well_formed::json(text),
        Kind::Xml => well_formed::xml(text),
        Kind::Html | Kind::Other => Ok(()),
    }
}

/// How texts of this type stand one after another; why not, where they cannot.
pub(super) fn packing(media_type: &str) -> Result<Packing, String> {
    match kind(media_type) {
        Kind::Json => Ok(Packing::Lines),
        Kind::Other => Ok(Packing::Text { header: Vec::new() }),
        Kind::Xml | Kind::Html => {
            Err(format!("documents of the type {media_type} cannot stand one after another in one object"))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Xml,
    Html,
    Other,
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn kind(media_type: &str) -> Kind {
    let essence = essence(media_type).to_ascii_lowercase();
    let is = |name: &str| essence.ends_with(&format!("/{name}")) || essence.ends_with(&format!("+{name}"));
    if is("json") {
        Kind::Json
    } else if is("xml") {
        Kind::Xml
    } else if essence == "text/html" {
        Kind::Html
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_media_type() {
        for (media_type, expected) in [
            ("application/json", Kind::Json),
            ("Application/JSON; charset=utf-8", Kind::Json),
            ("application/vnd.erp.order+json", Kind::Json),
            ("text/xml", Kind::Xml),
            ("application/xhtml+xml", Kind::Xml),
            ("text/html; charset=utf-8", Kind::Html),
            ("text/plain", Kind::Other),
            ("application/x-jsonish", Kind::Other),
        ] {
            assert_eq!(kind(media_type), expected, "{media_type}");
        }
    }

    #[test]
    fn what_can_stand_one_after_another() {
        for (media_type, expected) in [
            ("application/json", Some(Packing::Lines)),
            ("text/csv; charset=utf-8", Some(Packing::Text { header: Vec::new() })),
            ("text/plain", Some(Packing::Text { header: Vec::new() })),
            ("application/xml", None),
            ("text/html", None),
        ] {
            assert_eq!(packing(media_type).ok(), expected, "{media_type}");
        }
    }

    #[test]
    fn a_templates_name_tells_its_type() {
        for (name, expected) in [
            ("order.json.j2", "application/json"),
            ("order.xml", "application/xml"),
            ("a/order.html.jinja", "text/html; charset=utf-8"),
            ("order.csv.jinja2", "text/csv; charset=utf-8"),
            ("order.j2", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(of_template(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for text in ["", "json", "application/", "a/b/c", "text/plain\r\nX: y", "a b/c"] {
            assert!(!is_media_type(text), "{text}");
        }
    }
}
