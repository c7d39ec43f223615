//! Style sheet, script and icon. They are part of the binary, and may be kept: their names change with them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest;

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// What is behind a name: its beginning, its end, its media type, and what it holds.
static ASSETS: [(&str, &str, &str, &str); 3] = [
    ("console", "css", "text/css; charset=utf-8", STYLE),
    ("console", "js", "text/javascript; charset=utf-8", SCRIPT),
    ("icon", "svg", "image/svg+xml", ICON),
];

/// The name of the style sheet.
pub(crate) static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name(&ASSETS[0]));
/// The name of the script.
pub(crate) static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name(&ASSETS[1]));
/// The name of the icon.
pub(crate) static ICON_NAME: LazyLock<String> = LazyLock::new(|| name(&ASSETS[2]));

fn name((begin, end, _, text): &(&str, &str, &str, &str)) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("{begin}-{}.{end}", hex::encode(&digest.as_ref()[..6]))
}

/// One of them.
pub(crate) async fn asset(Path(asked): Path<String>) -> Response {
    let found = ASSETS.iter().find(|asset| name(asset) == asked);
    let Some((_, _, media_type, text)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let for_a_year = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, for_a_year)], *text).into_response()
}
