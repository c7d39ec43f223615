//! What pages have in common: the frame around them, times, links.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use ordersync_admin::{Action, Key, OrderKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access::users::Users;
use crate::access::{Role, Who, csrf};
use crate::failure::Failure;
use crate::place::{self, Place};

/// Characters of an error that a table shows.
const SHORT: usize = 140;
/// What a part of an address keeps as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The frame of a page: where it is, and who looks at it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) place: Place,
    pub(crate) who: Who,
    /// What forms of this page carry.
    pub(crate) csrf: String,
    pub(crate) section: &'static str,
}

impl Frame {
    pub(crate) fn new(place: Place, who: Who, users: &Users, section: &'static str) -> Self {
        let csrf = csrf::token(&who, users);
        Self { place, who, csrf, section }
    }

    /// What leads from the page to the beginning of all pages.
    pub(crate) fn root(&self) -> &str {
        &self.place.root
    }

    /// Whether buttons are shown.
    pub(crate) fn is_operator(&self) -> bool {
        self.who.role == Role::Operator
    }

    /// Whether there is a session to be ended.
    pub(crate) fn may_sign_out(&self) -> bool {
        !self.who.session.is_empty()
    }

    /// The address of an order's page.
    pub(crate) fn order(&self, order: &OrderKey) -> String {
        format!("{}orders/{}/{}", self.root(), place::part(&order.shop), place::part(&order.order))
    }

    /// The address of an export on its order's page.
    pub(crate) fn export(&self, key: &Key) -> String {
        format!("{}#{}", self.order(&key.order()), part(&key.pipeline))
    }

    /// The page, or why there is none.
    pub(crate) fn page(&self, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                Failure::new(&self.place, StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
        }
    }
}

/// The frame of a page that anybody may see.
#[derive(Debug)]
pub(crate) struct Bare<'p>(pub(crate) &'p Place);

impl Bare<'_> {
    /// What leads from the page to the beginning of all pages.
    pub(crate) fn root(&self) -> &str {
        &self.0.root
    }
}

/// A text as a part of an address.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A time as HTML: in UTC to the second, a line's end between day and time at most; where there is a script, it adds how
/// long ago that is.
pub(crate) fn time(at: &Timestamp) -> String {
    let machine = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("<time datetime=\"{machine}\">{}</time>", at.strftime("<span>%Y-%m-%d</span> <span>%H:%M:%S</span>"))
}

/// The same, where there is one.
#[expect(clippy::ref_option, reason = "a page hands over references")]
pub(crate) fn time_or(at: &Option<Timestamp>) -> String {
    at.as_ref().map_or_else(|| "–".to_owned(), time)
}

/// An export as forms and the log name it.
pub(crate) fn key(key: &Key) -> String {
    key.export().idempotency_key()
}

/// An action as its button has it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a page hands over references")]
pub(crate) fn label(action: &Action) -> &'static str {
    match action {
        Action::Reset => "Reset",
        Action::ExportNow => "Export now",
        Action::Cancel => "Cancel",
        Action::Skip => "Skip",
        Action::Delete => "Delete",
    }
}

/// The beginning of a text, as much as a table has room for.
pub(crate) fn short(text: &str) -> String {
    let mut chars = text.chars();
    let begin: String = chars.by_ref().take(SHORT).collect();
    if chars.next().is_some() { format!("{}…", begin.trim_end()) } else { begin }
}

/// How long something took, in words.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a page hands over references")]
pub(crate) fn took(ms: &u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
    }
}
