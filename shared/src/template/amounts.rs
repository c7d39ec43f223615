//! Numbers that can be compared and calculated with, and are still written as the shop wrote them.
//!
//! minijinja knows no decimals. An amount is therefore a binary float in a template, and this table says how the shop
//! wrote it: `129.90`, not `129.9`. A float that is in no table comes from a calculation and is written with at most
//! 15 significant digits, which hides what binary floats add (0.1 + 0.2).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{State, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::complaint;
use crate::order::Money;

/// Name of the table among the root names. It is no identifier, so that no template can see or replace it.
pub(super) const KEY: &str = "amounts as written";

/// The text of each number in the order, by the bits of its float.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    texts: BTreeMap<u64, Box<str>>,
    /// Whether only a part of the order was read, so that no text can be had: it may be that of a number in the rest.
    is_partial: bool,
}

impl Object for Amounts {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Amounts {
    /// The table of the render under way, where there may be a number in what is to be written: most values are texts.
    pub(super) fn of(state: &State<'_, '_>, value: &Value) -> Option<Arc<Self>> {
        if matches!(value.kind(), ValueKind::String | ValueKind::Undefined | ValueKind::None | ValueKind::Bool) {
            return None;
        }
        state.lookup(KEY)?.downcast_object()
    }

    /// The table among the root names that an expression is evaluated over.
    pub(super) fn in_root(root: &Value) -> Option<Arc<Self>> {
        root.get_attr(KEY).ok()?.downcast_object()
    }

    /// A table for the order's single fields alone.
    pub(super) fn partial() -> Self {
        Self { texts: BTreeMap::new(), is_partial: true }
    }

    /// The amount as a number.
    pub(super) fn money(&mut self, amount: Money) -> Value {
        self.decimal(amount.decimal())
    }

    /// The decimal as a number.
    pub(super) fn decimal(&mut self, value: Decimal) -> Value {
        let is_plain = value.scale() == 0 && !(value.is_zero() && value.is_sign_negative());
        // Whole numbers are most of an order's, and need no text to become what they are.
        let integer = if is_plain { value.to_i64() } else { None };
        integer.map_or_else(|| self.number(&value.to_string()), Value::from)
    }

    /// The number written as `text`; text where it is none that can be kept apart from the others.
    pub(super) fn number(&mut self, text: &str) -> Value {
        if let Some(integer) = integer(text) {
            return integer;
        }
        let Some(float) = text.parse::<f64>().ok().filter(|float| float.is_finite()) else {
            return Value::from(text);
        };
        match self.texts.entry(float.to_bits()) {
            Entry::Vacant(free) => {
                free.insert(text.into());
            }
            Entry::Occupied(known) if same_number(known.get(), text) => {}
            // Two numbers of more than 15 digits that are one float: as a number it would be written as the other.
            Entry::Occupied(_) => return Value::from(text),
        }
        Value::from(float)
    }

    /// How the shop wrote the number, or the same number without its sign: a template may negate an amount.
    fn written(&self, float: f64) -> Option<String> {
        let text = |float: f64| self.texts.get(&float.to_bits()).map(ToString::to_string);
        let sign_turned = |text: String| match text.strip_prefix('-') {
            Some(positive) => positive.to_owned(),
            None if float == 0.0 => text,
            None => format!("-{text}"),
        };
        text(float).or_else(|| text(-float).map(sign_turned))
    }
}

fn integer(text: &str) -> Option<Value> {
    if text == "-0" {
        return None;
    }
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<i128>().map(Value::from)).ok()
}

fn same_number(a: &str, b: &str) -> bool {
    a == b || matches!((a.parse::<Money>(), b.parse::<Money>()), (Ok(a), Ok(b)) if a == b)
}

/// A number as text.
pub(super) fn number_text(value: &Value, amounts: Option<&Amounts>) -> Result<String, minijinja::Error> {
    if value.is_integer() {
        return Ok(value.to_string());
    }
    let float = f64::try_from(value.clone())?;
    if !float.is_finite() {
        return Err(complaint("the result of a calculation is not a finite number"));
    }
    if amounts.is_some_and(|amounts| amounts.is_partial) {
        return Err(complaint("how the number was written is not known"));
    }
    let written = |float: f64| amounts.and_then(|amounts| amounts.written(float));
    if let Some(text) = written(float) {
        return Ok(text);
    }
    let rounded = format!("{float:.14e}").parse().unwrap_or(float);
    let calculated = || if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() };
    Ok(written(rounded).unwrap_or_else(calculated))
}

/// A number, or text that is one, as an exact decimal.
pub(super) fn decimal(value: &Value, amounts: Option<&Amounts>) -> Option<Decimal> {
    let money = match value.as_str() {
        Some(text) => text.parse::<Money>(),
        None if value.is_number() => number_text(value, amounts).ok()?.parse(),
        None => return None,
    };
    money.ok().map(Money::decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(texts: &[&str]) -> Vec<String> {
        let mut amounts = Amounts::default();
        let values: Vec<Value> = texts.iter().map(|text| amounts.number(text)).collect();
        let text = |value: &Value| match value.as_str() {
            Some(text) => format!("text {text}"),
            None => number_text(value, Some(&amounts)).unwrap(),
        };
        values.iter().map(text).collect()
    }

    #[test]
    fn numbers_are_written_as_they_were_read() {
        for text in ["129.90", "-5.00", "0.000", "100", "12345678901234567.89", "9223372036854775808", "1e2", "0.1"] {
            assert_eq!(written(&[text]), [text]);
        }
    }

    #[test]
    fn numbers_that_are_one_float_are_kept_apart() {
        assert_eq!(
            written(&["12345678901234567.89", "12345678901234567.88"]),
            ["12345678901234567.89", "text 12345678901234567.88"]
        );
        assert_eq!(written(&["1.50", "1.5"]), ["1.50", "1.50"], "one number: the first spelling");
        assert_eq!(written(&["2", "2.00"]), ["2", "2.00"], "whole numbers have their own kind");
    }

    #[test]
    fn a_negated_amount_keeps_its_decimals() {
        for (text, expected) in [("129.90", "-129.90"), ("-5.00", "5.00"), ("0.00", "0.00")] {
            let mut amounts = Amounts::default();
            let float = f64::try_from(amounts.number(text)).unwrap();
            assert_eq!(number_text(&Value::from(-float), Some(&amounts)).unwrap(), expected);
        }
    }

    #[test]
    fn calculated_numbers_show_no_binary_noise() {
        for (float, expected) in [
            (0.1 + 0.2, "0.3"),
            (259.8, "259.8"),
            (129.9 - 20.74, "109.16"),
            (-0.0, "0"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(number_text(&Value::from(float), None).unwrap(), expected);
        }
        assert!(number_text(&Value::from(f64::NAN), None).is_err());
    }
}
