//! Which column holds what. Pure.

use std::str::FromStr;

use super::php;
use super::presets::From;

/// What is to be known of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    OrderId,
    Number,
    PlacedAt,
    ExportedAt,
    ExternalId,
    Status,
    Error,
    IsNew,
}

impl Field {
    const NAMES: [(&'static str, Self); 8] = [
        ("order_id", Self::OrderId),
        ("number", Self::Number),
        ("placed_at", Self::PlacedAt),
        ("exported_at", Self::ExportedAt),
        ("external_id", Self::ExternalId),
        ("status", Self::Status),
        ("error", Self::Error),
        ("is_new", Self::IsNew),
    ];
}

/// A column, or something in the serialized object that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) inside: Option<String>,
}

impl Column {
    pub(super) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), inside: None }
    }
}

/// A column that the caller names for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    field: Field,
    column: Column,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Field::NAMES.map(|(name, _)| name).join(", ");
        let (field, column) = text.split_once('=').ok_or("expected FIELD=COLUMN")?;
        let field = Field::NAMES.into_iter().find(|(name, _)| *name == field);
        let (_, field) = field.ok_or_else(|| format!("expected one of {} before the =", names()))?;
        let (name, inside) = match column.split_once(':') {
            Some((name, inside)) => (name, Some(inside.to_owned())),
            None => (column, None),
        };
        if name.is_empty() || inside.as_deref() == Some("") {
            return Err("expected a column after the =".into());
        }
        Ok(Self { field, column: Column { name: name.to_owned(), inside } })
    }
}

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    found: Vec<(Field, usize, Option<String>)>,
    /// Statuses of exports that were made.
    done: Vec<String>,
}

impl Columns {
    /// Finds them in the header: those that the caller names, then those that the system has.
    pub(super) fn find(
        header: &[String],
        named: &[Mapping],
        from: Option<From>,
        done: &[String],
    ) -> Result<Self, String> {
        let position = |column: &Column| {
            header.iter().position(|name| name.trim_start_matches('\u{feff}').trim().eq_ignore_ascii_case(&column.name))
        };
        let has = || header.join(", ");
        let mut found = Vec::new();
        for Mapping { field, column } in named {
            let at = position(column)
                .ok_or_else(|| format!("there is no column {:?}; there are: {}", column.name, has()))?;
            found.push((*field, at, column.inside.clone()));
        }
        for (_, field) in Field::NAMES {
            if named.iter().any(|mapping| mapping.field == field) {
                continue;
            }
            let candidates = from.map(|from| from.columns(field)).unwrap_or_default();
            let there = candidates.iter().filter_map(|column| Some((field, position(column)?, column.inside.clone())));
            // Of plain columns the first counts; in an object, whichever has a value.
            let is_plain = candidates.iter().any(|column| column.inside.is_none());
            found.extend(there.take(if is_plain { 1 } else { usize::MAX }));
        }
        let own = from.map(From::done).unwrap_or_default().iter().map(ToString::to_string);
        let done = if done.is_empty() { own.collect() } else { done.to_vec() };
        let columns = Self { found, done };
        columns.check(from).map_err(|missing| format!("{missing}; there are: {}", has()))?;
        Ok(columns)
    }

    fn check(&self, from: Option<From>) -> Result<(), String> {
        if !self.has(Field::OrderId) {
            return Err("no column has the orders' identifiers: name it with --map order_id=COLUMN".into());
        }
        let tells =
            self.has(Field::ExportedAt) && self.done.is_empty() || self.has(Field::Status) && !self.done.is_empty();
        // What is in that table was not done.
        if tells || from == Some(From::Jobqueue) {
            return Ok(());
        }
        Err("nothing says which orders were exported: name a column with --map exported_at=COLUMN, or with \
             --map status=COLUMN and --done STATUS"
            .into())
    }

    fn has(&self, wanted: Field) -> bool {
        self.found.iter().any(|(field, ..)| *field == wanted)
    }

    /// The value of a field; nothing where the database has none.
    pub(super) fn value(&self, record: &csv::StringRecord, wanted: Field) -> Option<String> {
        let mut columns = self.found.iter().filter(|(field, ..)| *field == wanted);
        columns.find_map(|(_, at, inside)| value(record.get(*at)?, inside.as_deref()))
    }

    /// Whether the system has exported the order.
    pub(super) fn is_done(&self, record: &csv::StringRecord) -> bool {
        if self.done.is_empty() {
            return self.value(record, Field::ExportedAt).is_some();
        }
        let status = self.value(record, Field::Status).unwrap_or_default();
        self.done.iter().any(|done| done.eq_ignore_ascii_case(&status))
    }
}

/// How databases and their clients write that there is nothing.
const NOTHING: [&str; 5] = ["", "NULL", "\\N", "0000-00-00 00:00:00", "0000-00-00"];

fn value(text: &str, inside: Option<&str>) -> Option<String> {
    match inside {
        Some(name) => php::value_of(text, name),
        None => Some(text.trim().to_owned()).filter(|text| !NOTHING.contains(&text.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split(',').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_mapping_is_a_field_and_a_column() {
        let mapping: Mapping = "order_id=handler:orderId".parse().unwrap();
        let column = Column { name: "handler".into(), inside: Some("orderId".into()) };
        assert_eq!(mapping, Mapping { field: Field::OrderId, column });
        for wrong in ["order_id", "order_id=", "order=x", "order_id=handler:", "=x"] {
            assert!(wrong.parse::<Mapping>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn columns_are_those_of_the_system_unless_they_are_named() {
        let header = header("\u{feff}id,Increment_ID,entity_id,created_at,synced_at,sent");
        let named = ["exported_at=sent".parse().unwrap()];
        let columns = Columns::find(&header, &named, Some(From::Ordersyncquerunner), &[]).unwrap();
        let record =
            csv::StringRecord::from(vec!["1", "100001", "7", "2019-01-01 10:00:00", "NULL", "2019-01-02 10:00:00"]);
        let value = |field| columns.value(&record, field);
        assert_eq!((value(Field::OrderId), value(Field::Number)), (Some("7".into()), Some("100001".into())));
        assert_eq!(value(Field::ExportedAt), Some("2019-01-02 10:00:00".into()));
        assert!(columns.is_done(&record));
        let own = Columns::find(&header, &[], Some(From::Ordersyncquerunner), &[]).unwrap();
        assert!(!own.is_done(&record));
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        for (names, from, named, done, expected) in [
            ("a,b", None, vec!["order_id=c"], vec![], "there is no column \"c\"; there are: a, b"),
            ("a,b", None, vec![], vec![], "no column has the orders' identifiers"),
            ("a,b", None, vec!["order_id=a"], vec![], "nothing says which orders were exported"),
            ("a,b", None, vec!["order_id=a", "status=b"], vec![], "nothing says which orders were exported"),
            ("entity_id", Some(From::Ordersyncquerunner), vec![], vec![], "nothing says which orders were exported"),
        ] {
            let named: Vec<Mapping> = named.into_iter().map(|text| text.parse().unwrap()).collect();
            let error = Columns::find(&header(names), &named, from, &done).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let done = ["sent".to_owned()];
        let named = ["order_id=a".parse().unwrap(), "status=b".parse().unwrap()];
        let columns = Columns::find(&header("a,b"), &named, None, &done).unwrap();
        for (status, expected) in [("Sent", true), ("error", false), ("NULL", false)] {
            assert_eq!(columns.is_done(&csv::StringRecord::from(vec!["1", status])), expected, "{status}");
        }
    }

    #[test]
    fn jobs_are_found_by_what_they_hold_and_none_of_them_is_done() {
        let columns = Columns::find(&header("id,handler,error,created_at"), &[], Some(From::Jobqueue), &[]).unwrap();
        let job = "O:3:\"Job\":1:{s:7:\"orderId\";s:2:\"42\";}";
        let record = csv::StringRecord::from(vec!["1", job, "NULL", "2019-01-01 10:00:00"]);
        assert_eq!(columns.value(&record, Field::OrderId), Some("42".into()));
        assert!(!columns.is_done(&record));
    }
}
