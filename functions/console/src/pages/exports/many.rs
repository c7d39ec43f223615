//! The same action on many exports: first what it would do, then, confirmed, the doing, with a word on each.

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ordersync_admin::{Action, Actor, AdminError, Bulk, BulkReport, Key, Outcome, Selection};
use serde::Deserialize;

use super::asked::Asked;
use crate::access::guard::Sent;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

/// What the forms send: the table's, and the one that confirms.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    action: Action,
    #[serde(default)]
    key: Vec<String>,
    /// The address of the list, as a query.
    #[serde(default)]
    filter: String,
    /// All that the filter takes.
    #[serde(default)]
    all: String,
    #[serde(default)]
    confirmed: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "many.html")]
struct Page {
    frame: Frame,
    form: Form,
    report: BulkReport,
}

impl Form {
    fn bulk(&self) -> Result<Bulk, AdminError> {
        Ok(Bulk {
            action: self.action,
            selection: self.selection()?,
            dry_run: self.confirmed.is_empty(),
            limit: None,
            cursor: Some(self.cursor.clone()).filter(|cursor| !cursor.is_empty()),
        })
    }

    fn selection(&self) -> Result<Selection, AdminError> {
        if !self.all.is_empty() {
            let bad = |error: serde_html_form::de::Error| AdminError::invalid(format!("filter: {error}"));
            let asked: Asked = serde_html_form::from_str(&self.filter).map_err(bad)?;
            return asked.filter().map(Selection::Filter);
        }
        if self.key.is_empty() {
            return Err(AdminError::invalid("no export is selected: go back and select some"));
        }
        let key = |text: &String| {
            Key::parse(text)
                .ok_or_else(|| AdminError::invalid(format!("key: expected shop:order:pipeline, found {text:?}")))
        };
        self.key.iter().map(key).collect::<Result<_, _>>().map(Selection::Keys)
    }
}

/// Shows what would be done, or does it.
pub(crate) async fn act(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Sent { who, form }: Sent<Form>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let fail = |error| Failure::admin(&place, error);
    let bulk = form.bulk().map_err(fail)?;
    let report = console.admin.bulk(&Actor(who.name.clone()), &bulk).await.map_err(fail)?;
    let frame = console.frame(place, who, "Exports").await?;
    let page = Page { frame, form, report };
    Ok(page.frame.page(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        serde_html_form::from_str(text).unwrap()
    }

    #[test]
    fn nothing_is_done_that_was_not_confirmed() {
        let bulk = form("action=reset&key=acme:1:erp&key=acme:2:erp").bulk().unwrap();
        assert!(bulk.dry_run && matches!(&bulk.selection, Selection::Keys(keys) if keys.len() == 2));
        assert!(!form("action=reset&key=acme:1:erp&confirmed=yes").bulk().unwrap().dry_run);
    }

    #[test]
    fn all_are_those_that_the_list_had() {
        let bulk = form("action=delete&all=yes&filter=status%3Derror%26shop%3Dacme&cursor=c").bulk().unwrap();
        let Selection::Filter(filter) = bulk.selection else { panic!("a filter") };
        assert_eq!((filter.shop.as_deref(), filter.status.len(), bulk.cursor.as_deref()), (Some("acme"), 1, Some("c")));
    }

    #[test]
    fn a_selection_of_nothing_or_nonsense_is_refused() {
        for (text, expected) in [
            ("action=reset", "no export is selected"),
            ("action=reset&key=acme", "key: expected shop:order:pipeline"),
            ("action=reset&all=yes&filter=status%3Dodd", "status: expected one of"),
        ] {
            assert!(form(text).bulk().unwrap_err().message.starts_with(expected), "{text}");
        }
    }
}
