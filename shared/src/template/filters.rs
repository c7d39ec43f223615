//! The filters that back offices' formats need beside minijinja's own, and those of its own that write numbers.
#![expect(clippy::needless_pass_by_value, reason = "the engine hands arguments over by value")]

use std::borrow::Cow;

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use minijinja::value::{Kwargs, Rest, StringInput, ValueKind};
use minijinja::{Environment, Error, State, Value, filters as builtin};
use rust_decimal::RoundingStrategy;

use super::Escape;
use super::amounts::{self, Amounts};
use super::error::complaint;
use super::escape::{self, trusted};

/// Adds them to `environment`.
pub(super) fn add(environment: &mut Environment<'static>, escape: Escape) {
    environment.add_filter("date", date);
    environment.add_filter("money", money);
    environment.add_filter("pad_left", pad_left);
    environment.add_filter("pad_right", pad_right);
    environment.add_filter("fixed", fixed);
    environment.add_filter("one_line", one_line);
    environment.add_filter("digits", digits);
    environment.add_filter("xml", xml);
    environment.add_filter("csv", csv);
    environment.add_filter("string", string);
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("tojson", tojson);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("e", escaped);
    environment.add_filter("escape", escaped);
    environment.add_test("none", is_none);
    // They print whatever they find, in a form that no back office reads.
    environment.remove_filter("pprint");
    environment.remove_global("debug");
    if escape == Escape::ObjectKey {
        environment.remove_filter("safe");
    }
}

/// What filters take as text: a null counts as empty, an amount is as the shop wrote it.
fn text<'v>(state: &State<'_, '_>, filter: &str, value: &'v Value) -> Result<Cow<'v, str>, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool | ValueKind::None | ValueKind::Undefined => {
            escape::plain(value, Amounts::of(state, value).as_deref())
        }
        kind => Err(complaint(format!("{filter}: expected a text or a number, found a {kind}"))),
    }
}

fn absent(value: &Value) -> bool {
    value.is_none() || value.is_undefined()
}

/// `{{ order.placed_at | date("%d.%m.%Y", "Europe/Berlin") }}`
fn date(state: &State<'_, '_>, value: &Value, format: &str, zone: Option<&str>) -> Result<Value, Error> {
    if absent(value) {
        return Ok(value.clone());
    }
    let expected = || complaint("date: expected a time such as 2026-01-31T12:00:00Z");
    let time = value.as_str().and_then(point_in_time).ok_or_else(expected)?;
    let zone = time_zone(zone.unwrap_or("UTC"))?;
    let written = strtime::format(format, &Zoned::new(time, zone));
    let written = written.map_err(|_| complaint("date: expected a format such as \"%Y-%m-%d %H:%M\""))?;
    // The slashes of a format are the template's own and stay slashes in an object key.
    Ok(trusted(Escape::of(state) == Escape::ObjectKey, written))
}

/// A time with its offset; without one it is taken as UTC, a date alone as its first moment.
fn point_in_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil)
}

fn time_zone(name: &str) -> Result<TimeZone, Error> {
    let expected = || complaint("date: expected a time zone such as \"Europe/Berlin\" or an offset such as \"+02:00\"");
    offset(name).map(TimeZone::fixed).or_else(|| TimeZone::get(name).ok()).ok_or_else(expected)
}

/// `+02:00`, `-0330`, `+02`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.get(1..)?.chars().filter(|character| *character != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// `{{ order.total | money(2, sep=",") }}`: text with exactly that many decimals, rounded half away from zero.
fn money(state: &State<'_, '_>, value: &Value, decimals: Option<u32>, args: Kwargs) -> Result<Value, Error> {
    let decimals = decimals.or(args.get("decimals")?).unwrap_or(2);
    let separator = args.get::<Option<Cow<'_, str>>>("sep")?;
    args.assert_all_used()?;
    if absent(value) {
        return Ok(value.clone());
    }
    if decimals > 20 {
        return Err(complaint("money: expected at most 20 decimals"));
    }
    let amount = amounts::decimal(value, Amounts::of(state, value).as_deref());
    let amount = amount.ok_or_else(|| complaint("money: expected a number or a text such as \"12.50\""))?;
    let mut rounded = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(decimals);
    let written = rounded.to_string();
    Ok(Value::from(separator.map_or(written.clone(), |separator| written.replace('.', &separator))))
}

/// A width that no record exceeds; a slip of the pen shall not fill the memory.
const MAX_WIDTH: usize = 10_000;

fn padding(filter: &str, text: &str, width: usize, fill: Option<&str>) -> Result<String, Error> {
    let mut fill = fill.unwrap_or(" ").chars();
    let (Some(character), None, true) = (fill.next(), fill.next(), width <= MAX_WIDTH) else {
        return Err(complaint(format!(
            "{filter}: expected a width of at most {MAX_WIDTH} and one character to fill with"
        )));
    };
    let missing = width.saturating_sub(text.chars().count());
    Ok(std::iter::repeat_n(character, missing).collect())
}

/// `{{ order.number | pad_left(10, "0") }}`: at least that wide, the text at the right.
fn pad_left(state: &State<'_, '_>, value: &Value, width: usize, fill: Option<&str>) -> Result<String, Error> {
    let text = text(state, "pad_left", value)?;
    Ok(padding("pad_left", &text, width, fill)? + &text)
}

/// `{{ item.sku | pad_right(20) }}`: at least that wide, the text at the left.
fn pad_right(state: &State<'_, '_>, value: &Value, width: usize, fill: Option<&str>) -> Result<String, Error> {
    let text = text(state, "pad_right", value)?;
    Ok(format!("{text}{}", padding("pad_right", &text, width, fill)?))
}

/// `{{ item.name | fixed(30) }}`: exactly that wide, cut or filled with spaces, and on one line.
fn fixed(state: &State<'_, '_>, value: &Value, width: usize) -> Result<String, Error> {
    let text = text(state, "fixed", value)?;
    let kept: String = text.chars().take(width).map(|c| if c.is_control() { ' ' } else { c }).collect();
    padding("fixed", &kept, width, None).map(|fill| kept + &fill)
}

/// `{{ order.note | one_line }}`: line breaks, tabs and other control characters become single spaces.
fn one_line(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if absent(value) {
        return Ok(value.clone());
    }
    let text = text(state, "one_line", value)?;
    let words = text.split(|character: char| character.is_control() || character.is_whitespace());
    Ok(Value::from(words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")))
}

/// `{{ order.customer.phone | digits }}`: nothing but the digits 0 to 9.
fn digits(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    Ok(text(state, "digits", value)?.chars().filter(char::is_ascii_digit).collect())
}

/// Escaped for XML in a template of any kind.
fn xml(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    Ok(trusted(Escape::of(state) == Escape::Xml, escape::xml(&text(state, "xml", value)?)))
}

/// `{{ item.name | csv(";") }}`: quoted where needed, and no formula for a spreadsheet.
fn csv(state: &State<'_, '_>, value: &Value, delimiter: Option<&str>) -> Result<String, Error> {
    let text = text(state, "csv", value)?;
    let guarded = guard_formula(&text);
    let needs_quotes = |c: char| matches!(c, '"' | '\r' | '\n') || delimiter.unwrap_or(",").contains(c);
    let quoted = guarded.contains(needs_quotes).then(|| format!("\"{}\"", guarded.replace('"', "\"\"")));
    Ok(quoted.unwrap_or_else(|| guarded.into_owned()))
}

/// The text with a `'` before it where a spreadsheet would take it for a formula. Plain numbers stay.
pub fn guard_formula(text: &str) -> Cow<'_, str> {
    let is_number = is_plain_number(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// `-5.00`, `+49`, `-5,00`: what a spreadsheet reads as a number and nothing else.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, decimals) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    [whole, decimals].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn string(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::String { Ok(value.clone()) } else { text(state, "string", value).map(Value::from) }
}

fn replace(
    state: &mut State<'_, '_>,
    value: &Value,
    from: StringInput<'_>,
    to: StringInput<'_>,
) -> Result<Value, Error> {
    let value = string(state, value)?;
    let input = StringInput::new(state, &value)?;
    builtin::replace(state, input, from, to)
}

fn join(
    state: &mut State<'_, '_>,
    value: &Value,
    separator: Option<StringInput<'_>>,
    args: Kwargs,
) -> Result<Value, Error> {
    let attribute = args.get::<Option<&str>>("attribute")?;
    args.assert_all_used()?;
    let mut texts = Vec::new();
    for element in value.try_iter()? {
        let mut path = attribute.into_iter().flat_map(|path| path.split('.'));
        let element = path.try_fold(element, |element, name| element.get_attr(name))?;
        texts.push(string(state, &element)?);
    }
    builtin::join(state, &Value::from(texts), separator, None, Kwargs::from_iter::<[(&str, Value); 0]>([]))
}

/// As JSON, in a template of any kind.
fn tojson(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let json = escape::json(value, Amounts::of(state, value).as_deref())?;
    Ok(trusted(Escape::of(state) == Escape::Json, json))
}

/// Jinja's own replaces only what is undefined. Here a null counts as undefined, everywhere.
fn default(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let (replacement, empty_too) = match args.as_slice() {
        [] => (Value::from(""), false),
        [replacement] => (replacement.clone(), false),
        [replacement, empty_too] => (replacement.clone(), empty_too.is_true()),
        _ => return Err(complaint("default: expected a value and, if empty texts count too, true")),
    };
    let replace = absent(value) || (empty_too && !value.is_true());
    Ok(if replace { replacement } else { value.clone() })
}

fn escaped(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let escape = Some(Escape::of(state)).filter(|escape| *escape != Escape::None).unwrap_or(Escape::Xml);
    let text = escape.text(value, Amounts::of(state, value).as_deref())?;
    Ok(Value::from_safe_string(text.into_owned()))
}

fn is_none(value: &Value) -> bool {
    absent(value)
}
