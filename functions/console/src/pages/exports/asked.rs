//! What is asked for in the address of a list, as a form writes it: empty where nothing is said.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ordersync::ledger::Status;
use ordersync_admin::{AdminError, Filter};
use serde::{Deserialize, Serialize};

/// The filter's form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) status: Vec<String>,
    pub(crate) pipeline: String,
    pub(crate) shop: String,
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) error: String,
    cursor: String,
}

impl Asked {
    /// What the list is to have.
    pub(crate) fn filter(&self) -> Result<Filter, AdminError> {
        let status = self.status.iter().filter(|name| !name.is_empty()).map(|name| {
            Status::from_name(name).ok_or_else(|| {
                let names = Status::ALL.map(Status::name).join(", ");
                AdminError::invalid(format!("status: expected one of {names}, found {name:?}"))
            })
        });
        Ok(Filter {
            status: status.collect::<Result<_, _>>()?,
            pipeline: said(&self.pipeline),
            shop: said(&self.shop),
            since: time("since", &self.since)?,
            until: time("until", &self.until)?,
            error_text: said(&self.error),
        })
    }

    pub(crate) fn cursor(&self) -> Option<String> {
        said(&self.cursor)
    }

    /// Whether only exports in this state are asked for, among others perhaps.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a page hands over references")]
    pub(crate) fn has(&self, status: &Status) -> bool {
        self.status.iter().any(|name| name == status.name())
    }

    /// Whether anything is asked for but everything.
    pub(crate) fn is_narrow(&self) -> bool {
        let open = Self { cursor: String::new(), ..self.clone() };
        open != Self::default()
    }

    /// The same as an address has it, from where a page ends.
    pub(crate) fn query(&self, cursor: Option<&String>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for status in &self.status {
            query.append_pair("status", status);
        }
        let cursor = cursor.map(String::as_str).unwrap_or_default();
        for (name, value) in [
            ("pipeline", self.pipeline.as_str()),
            ("shop", &self.shop),
            ("since", &self.since),
            ("until", &self.until),
            ("error", &self.error),
            ("cursor", cursor),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

fn said(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// A time as a form's field for date and time has it, in UTC, or with its zone.
fn time(name: &str, text: &str) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = said(text) else { return Ok(None) };
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(local);
    time.map(Some).ok_or_else(|| {
        AdminError::invalid(format!("{name}: expected a time such as 2026-03-01T12:00 (UTC), found {text:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_leaves_empty_does_not_matter() {
        let asked = Asked { status: vec![String::new()], shop: " ".into(), ..Asked::default() };
        assert_eq!(asked.filter().unwrap(), Filter::default());
    }

    #[test]
    fn times_are_taken_with_and_without_a_zone() {
        let at = |text: &str| Asked { since: text.into(), ..Asked::default() }.filter().map(|filter| filter.since);
        let noon: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for text in ["2026-03-01T12:00", "2026-03-01T12:00:00", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00Z"] {
            assert_eq!(at(text).unwrap(), Some(noon), "{text}");
        }
        assert!(at("yesterday").unwrap_err().message.contains("since: expected a time"));
    }

    #[test]
    fn a_state_that_is_none_is_told() {
        let error = Asked { status: vec!["broken".into()], ..Asked::default() }.filter().unwrap_err();
        assert!(error.message.starts_with("status: expected one of pending,"), "{}", error.message);
    }

    #[test]
    fn the_address_says_what_was_asked_for() {
        let asked = Asked { status: vec!["error".into(), "pending".into()], error: "a & b".into(), ..Asked::default() };
        assert_eq!(asked.query(Some(&"c+1".into())), "status=error&status=pending&error=a+%26+b&cursor=c%2B1");
    }
}
