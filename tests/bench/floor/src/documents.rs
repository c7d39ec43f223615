//! What is made of an order: JSON, a template, CSV.

use std::borrow::Cow;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Deserialize;

use crate::Error;
use crate::order::{Item, Order};

const TEMPLATE: &str = include_str!("../../work/erp-order.json.j2");
const COLUMNS: &str = include_str!("../../work/columns.json");
const NAME: &str = "erp-order.json.j2";
/// Code of the one pipeline.
pub(crate) const PIPELINE: &str = "erp";

/// What makes documents.
pub(crate) enum Format {
    Json,
    Template(Box<Environment<'static>>),
    Csv(Vec<Column>),
}

/// A column, and where its text comes from.
pub(crate) struct Column {
    header: String,
    text: Get,
}

/// The text of a column in the line of an item.
type Get = for<'o> fn(&'o Order<'_>, &'o Item<'_>) -> Cow<'o, str>;

impl Format {
    /// The one that `FORMAT` names.
    pub(crate) fn of(name: &str) -> Result<Self, Error> {
        match name {
            "json" => Ok(Self::Json),
            "template" => template().map(|environment| Self::Template(Box::new(environment))),
            "csv" => columns().map(Self::Csv),
            _ => Err(Error::new("FORMAT", "expected json, template or csv")),
        }
    }

    /// The document's media type.
    pub(crate) fn media_type(&self) -> &'static str {
        if matches!(self, Self::Csv(_)) { "text/csv; charset=utf-8" } else { "application/json" }
    }

    /// What the names of its files end in.
    pub(crate) fn extension(&self) -> &'static str {
        if matches!(self, Self::Csv(_)) { "csv" } else { "json" }
    }

    /// The document.
    pub(crate) fn render(&self, order: &Order<'_>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Json => serde_json::to_vec(order).map_err(Error::of("JSON")),
            Self::Template(environment) => {
                let context = context! { order => Value::from(Serde(order)), pipeline => PIPELINE };
                let rendered = environment.get_template(NAME).and_then(|template| template.render(context));
                rendered.map(String::into_bytes).map_err(Error::of("template"))
            }
            Self::Csv(columns) => csv(columns, order).map_err(Error::of("CSV")),
        }
    }
}

fn template() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Its own filter of this name writes for HTML.
    environment.add_filter("tojson", |value: Value| {
        serde_json::to_string(&value).map_err(|error| {
            minijinja::Error::new(minijinja::ErrorKind::BadSerialization, "a value is no JSON").with_source(error)
        })
    });
    environment.add_template(NAME, TEMPLATE).map_err(Error::of("template"))?;
    Ok(environment)
}

fn columns() -> Result<Vec<Column>, Error> {
    #[derive(Deserialize)]
    struct Described<'a> {
        header: String,
        value: &'a str,
    }
    let described: Vec<Described<'_>> = serde_json::from_str(COLUMNS).map_err(Error::of("columns"))?;
    let column = |Described { header, value }: Described<'_>| {
        let text = get(value).ok_or_else(|| Error::new("columns", value))?;
        Ok(Column { header, text })
    };
    described.into_iter().map(column).collect()
}

fn get(name: &str) -> Option<Get> {
    let get: Get = match name {
        "order.number" => |order, _| (&*order.number).into(),
        "order.placed_at" => |order, _| (&*order.placed_at).into(),
        "order.currency" => |order, _| (&*order.currency).into(),
        "order.total" => |order, _| (&*order.total).into(),
        "order.customer.id" => |order, _| or_empty(order.customer.id.as_deref()),
        "order.customer.email" => |order, _| or_empty(order.customer.email.as_deref()),
        "order.customer.phone" => |order, _| or_empty(order.customer.phone.as_deref()),
        "order.delivery.name" => |order, _| or_empty(order.delivery.name.as_deref()),
        "order.delivery.company" => |order, _| or_empty(order.delivery.company.as_deref()),
        "order.delivery.street" => |order, _| or_empty(order.delivery.street.as_deref()),
        "order.delivery.postcode" => |order, _| or_empty(order.delivery.postcode.as_deref()),
        "order.delivery.city" => |order, _| or_empty(order.delivery.city.as_deref()),
        "order.delivery.country" => |order, _| or_empty(order.delivery.country.as_deref()),
        "item.sku" => |_, item| or_empty(item.sku.as_deref()),
        "item.name" => |_, item| (&*item.name).into(),
        "item.quantity" => |_, item| item.quantity.to_string().into(),
        "item.unit_price" => |_, item| (&*item.unit_price).into(),
        "item.tax" => |_, item| or_empty(item.tax.as_deref()),
        "item.total" => |_, item| (&*item.total).into(),
        _ => return None,
    };
    Some(get)
}

fn or_empty(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

fn csv(columns: &[Column], order: &Order<'_>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new();
    let mut writer = writer.terminator(Terminator::CRLF).quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| &column.header))?;
    for item in &order.items {
        for column in columns {
            writer.write_field(guarded((column.text)(order, item)).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A spreadsheet takes such a text for a formula, unless it is a plain number.
fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !(is_digits(whole) && is_digits(fraction)) {
        return format!("'{text}").into();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::read;

    const BODY: &str = r#"{"data":{"id":7,"number":"N-\u0031","placed_at":"2026-08-01T13:59:57.250+02:00","currency":"eur",
        "total":"149.9","tax":null,"discount":"-5","payment":{"state":"Paid"},"state":"open","items":[
        {"sku":"A","name":"An \"item\", large","quantity":2.50,"unit_price":34.9,"total":"87.25","ean":"1"}],
        "customer":{"phone":"+49 30 1"},"delivery":{"country":"de"},"campaign":{"code":"S","at":1.50}}}"#;

    fn rendered(format: &str) -> String {
        let order = read("acme", BODY).unwrap();
        String::from_utf8(Format::of(format).unwrap().render(&order).unwrap()).unwrap()
    }

    #[test]
    fn json_has_every_field_of_the_model_and_the_rest_as_it_was_written() {
        let none = r#"{"name":null,"company":null,"street":null,"city":null,"postcode":null,"region":null,"country":null,"phone":null}"#;
        let expected = format!(
            r#"{{"id":"7","number":"N-1","shop":"acme","store":null,"placed_at":"2026-08-01T11:59:57.25Z","utc_offset":"+02:00","updated_at":null,"currency":"EUR","total":"149.90","subtotal":null,"tax":null,"discount":"5.00","shipping":null,"payment":{{"method":null,"state":"Paid","paid":true}},"state":"open","canceled":false,"customer":{{"id":null,"email":null,"name":null,"phone":"+49 30 1"}},"billing":{none},"delivery":{},"items":[{{"sku":"A","name":"An \"item\", large","quantity":2.5,"unit_price":"34.90","discount":null,"tax":null,"total":"87.25"}}],"note":null,"extra":{{"campaign":{{"code":"S","at":1.50}}}}}}"#,
            none.replace(r#""country":null"#, r#""country":"DE""#)
        );
        assert_eq!(rendered("json"), expected);
    }

    #[test]
    fn the_template_is_json_with_amounts_as_numbers() {
        let text = rendered("template");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        for part in ["\"gross\": 149.90,", "\"tax\": null", "\"quantity\": 2.5,", "\"An \\\"item\\\", large\""] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn csv_has_a_line_for_each_item_and_no_formulas() {
        let text = rendered("csv");
        let mut lines = text.split("\r\n");
        assert!(lines.next().is_some_and(|header| header.starts_with("order,placed_at,")));
        let line =
            "N-1,2026-08-01T11:59:57.25Z,EUR,149.90,,,'+49 30 1,,,,,,DE,A,\"An \"\"item\"\", large\",2.5,34.90,,87.25";
        assert_eq!(lines.collect::<Vec<_>>(), [line, ""]);
    }
}
