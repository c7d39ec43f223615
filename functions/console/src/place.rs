//! Where a page is, so that its links work under whatever path the API is reached by: a stage's, or a custom domain's.

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What all pages begin with.
pub(crate) const CONSOLE: &str = "/console";
/// What the JSON API begins with.
pub(crate) const API: &str = "/api/v1";

/// What leads to the overview, from the beginning of all pages.
pub(crate) const HOME: &str = "../console";

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A text as a part of a path: percent-encoded, but with `~` for `%`. The endpoint decodes a path before it hands it on, and an
/// order's identifier may have a slash or a question mark.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string().replace('%', "~")
}

/// A path with the parts of [`part`] percent-encoded, as the router reads them.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('~') {
        let is_escape = after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        encoded.extend([before, if is_escape { "%" } else { "~" }]);
        rest = after;
    }
    encoded + rest
}

/// The address of a request, as far as answers depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whether a program asks, which is answered with JSON.
    pub(crate) is_api: bool,
    /// What leads from the page to the beginning of all pages: `""`, `"../"`, `"../../"`.
    pub(crate) root: String,
    /// From there to the page, with its query: `exports?status=error`.
    pub(crate) here: String,
}

impl Place {
    /// The place of a request.
    pub(crate) fn of(uri: &Uri) -> Self {
        let path = uri.path();
        let rest = path.find(CONSOLE).map_or("", |at| &path[at + CONSOLE.len()..]);
        // `/console` itself is one above its pages.
        let root = match rest.matches('/').count() {
            0 => "console/".to_owned(),
            depth => "../".repeat(depth - 1),
        };
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        // As the endpoint hands it on, when it is asked for again.
        let rest = rest.replace('%', "~");
        let here = Some(rest.trim_matches('/')).filter(|rest| !rest.is_empty()).unwrap_or(HOME);
        Self { is_api: is_api(path), root, here: format!("{here}{query}") }
    }
}

fn is_api(path: &str) -> bool {
    let (api, console) = (path.find(API), path.find(CONSOLE));
    api.is_some_and(|api| console.is_none_or(|console| api < console))
}

/// The address without what a custom domain's mapping, or an emulator, puts before the console's paths, and as the router
/// reads it.
pub(crate) fn below(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let at = [CONSOLE, API].into_iter().filter_map(|prefix| path.find(prefix)).min()?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", encoded(path.get(at..)?)).parse().ok()
}

/// Where to go after signing in: a page of ours, never another site.
pub(crate) fn safe(next: &str) -> &str {
    let page = next.strip_prefix(HOME).filter(|rest| rest.is_empty() || rest.starts_with('?')).map_or(next, |_| "home");
    let is_ours = page.starts_with(|first: char| first.is_ascii_lowercase())
        && !next.contains([':', '\\', '\r', '\n'])
        && !next.contains("//");
    if is_ours { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_identifier_has_a_path() {
        for id in ["9007", "a/b", "a?b#c", "50%", "~2F", "ü 1", "a~b"] {
            let uri = format!("/stage/console/orders/acme/{}?x=%20~41", part(id)).parse().unwrap();
            let below = below(&uri).unwrap();
            let last = below.path().rsplit('/').next().unwrap();
            let decoded = percent_encoding::percent_decode_str(last).decode_utf8().unwrap();
            assert_eq!((decoded.as_ref(), below.query()), (id, Some("x=%20~41")));
            assert_eq!(Place::of(&below).here, format!("orders/acme/{}?x=%20~41", part(id)));
        }
        assert_eq!(below(&"/console/orders/acme/a~b".parse().unwrap()).unwrap().path(), "/console/orders/acme/a~b");
    }

    #[test]
    fn links_lead_to_the_beginning_from_any_depth() {
        for (path, root, here) in [
            ("/console", "console/", "../console"),
            ("/console/", "", "../console"),
            ("/console?week", "console/", "../console?week"),
            ("/console/exports?status=error", "", "exports?status=error"),
            ("/console/orders/acme-eu/17", "../../", "orders/acme-eu/17"),
            ("/_aws/execute-api/1/$default/console/orders/acme/console", "../../", "orders/acme/console"),
        ] {
            let place = Place::of(&format!("http://localhost{path}").parse().unwrap());
            assert_eq!((place.root.as_str(), place.here.as_str(), place.is_api), (root, here, false), "{path}");
        }
        assert!(Place::of(&"/api/v1/exports".parse().unwrap()).is_api);
    }

    #[test]
    fn what_stands_before_the_consoles_paths_is_passed_over() {
        let below = |path: &str| below(&path.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(below("/shop/console/exports?q=1"), Some("/console/exports?q=1".into()));
        assert_eq!(below("https://api.example/v/api/v1/orders/a/console"), Some("/api/v1/orders/a/console".into()));
        assert_eq!(below("/console/exports"), Some("/console/exports".into()));
        assert_eq!(below("/elsewhere"), None);
    }

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for next in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "javascript:alert(1)",
            "a//evil",
            "x\r\nset-cookie: a",
            "../console/../..",
            "../x",
            "",
        ] {
            assert_eq!(safe(next), HOME, "{next}");
        }
        for next in ["exports?status=error", "../console?week", "../console"] {
            assert_eq!(safe(next), next);
        }
    }
}
