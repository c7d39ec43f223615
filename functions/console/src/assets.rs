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

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a colour, on a light page or on a dark one.
    fn colour(name: &str, is_dark: bool) -> [u8; 3] {
        let (_, rest) = STYLE.split_once(&format!("--{name}: light-dark(#")).unwrap_or_else(|| panic!("no {name}"));
        let text = if is_dark { rest.split_once(", #").unwrap().1 } else { rest };
        hex::decode(&text[..6]).unwrap().try_into().unwrap()
    }

    /// How bright a colour is, as WCAG 2.2 has it.
    fn luminance(colour: [u8; 3]) -> f64 {
        let linear = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        (one / other).max(other / one)
    }

    #[test]
    fn whatever_is_written_can_be_read_in_light_and_in_dark() {
        let mut pairs = vec![("on-accent", "accent"), ("text", "come"), ("text", "gone"), ("bad", "gone")];
        for text in ["text", "quiet", "accent", "good", "bad", "wait"] {
            pairs.extend([(text, "card"), (text, "ground")]);
        }
        for (text, ground) in pairs {
            for is_dark in [false, true] {
                let found = contrast(colour(text, is_dark), colour(ground, is_dark));
                assert!(found >= 4.5, "{text} on {ground}, dark: {is_dark}: {found:.2}");
            }
        }
        assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.001);
    }
}
