//! Conditions and updates, as far as the functions and their peers write them.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::item::Item;

/// An expression with the names and values that it is given.
#[derive(Debug)]
pub(super) struct Expression<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    names: &'a Map<String, Value>,
    values: &'a Map<String, Value>,
}

/// An expression that is not understood, in words.
pub(super) type Misread = String;

impl<'a> Expression<'a> {
    /// Reads one.
    pub(super) fn new(text: &'a str, names: &'a Map<String, Value>, values: &'a Map<String, Value>) -> Self {
        Self { tokens: tokens(text), at: 0, names, values }
    }

    /// Whether an item fits the condition; one that is missing has no attributes.
    ///
    /// # Errors
    /// It is not understood.
    pub(super) fn holds(mut self, item: &Item) -> Result<bool, Misread> {
        let holds = self.any(item)?;
        if self.at == self.tokens.len() { Ok(holds) } else { Err(self.misread("the end")) }
    }

    /// The item after the update.
    ///
    /// # Errors
    /// It is not understood.
    pub(super) fn updated(mut self, item: &Item) -> Result<Item, Misread> {
        let mut changed = item.clone();
        let mut clause = "";
        while self.at < self.tokens.len() {
            match self.next()? {
                keyword @ ("SET" | "REMOVE") => clause = keyword,
                "," => {}
                name if clause == "SET" => {
                    let name = self.name(name)?;
                    self.expect("=")?;
                    let value = self.sum(item)?;
                    changed.insert(name, value);
                }
                name if clause == "REMOVE" => {
                    changed.shift_remove(&self.name(name)?);
                }
                _ => return Err(self.misread("SET or REMOVE")),
            }
        }
        Ok(changed)
    }

    /// The pairs that a key condition demands to be equal, and what else it demands of the sort key.
    ///
    /// # Errors
    /// It is not understood.
    pub(super) fn hash_key(mut self) -> Result<(String, Value), Misread> {
        while self.at < self.tokens.len() {
            let token = self.next()?;
            if token != "=" || self.at < 2 {
                continue;
            }
            let name = self.tokens.get(self.at - 2).copied().unwrap_or_default();
            let place = self.next()?;
            return Ok((self.name(name)?, self.value(place)?));
        }
        Err(self.misread("the equality of a partition key"))
    }

    fn any(&mut self, item: &Item) -> Result<bool, Misread> {
        let mut holds = self.all(item)?;
        while self.skip("OR") {
            holds |= self.all(item)?;
        }
        Ok(holds)
    }

    fn all(&mut self, item: &Item) -> Result<bool, Misread> {
        let mut holds = self.one(item)?;
        while self.skip("AND") {
            holds &= self.one(item)?;
        }
        Ok(holds)
    }

    fn one(&mut self, item: &Item) -> Result<bool, Misread> {
        match self.next()? {
            "NOT" => Ok(!self.one(item)?),
            "(" => {
                let holds = self.any(item)?;
                self.expect(")")?;
                Ok(holds)
            }
            function @ ("attribute_exists" | "attribute_not_exists") => {
                let name = self.argument()?;
                self.expect(")")?;
                Ok(item.contains_key(&name) == (function == "attribute_exists"))
            }
            "begins_with" => {
                let name = self.argument()?;
                self.expect(",")?;
                let place = self.next()?;
                let start = self.value(place)?;
                self.expect(")")?;
                let text = |value: &Value| value["S"].as_str().map(ToOwned::to_owned);
                let found = item.get(&name).and_then(text).zip(text(&start));
                Ok(found.is_some_and(|(text, start)| text.starts_with(&start)))
            }
            first => self.comparison(first, item),
        }
    }

    fn comparison(&mut self, first: &str, item: &Item) -> Result<bool, Misread> {
        let left = self.read(first, item)?;
        let comparator = self.next()?;
        let second = self.next()?;
        let right = self.read(second, item)?;
        if comparator == "BETWEEN" {
            self.expect("AND")?;
            let third = self.next()?;
            let last = self.read(third, item)?;
            return Ok(compares(">=", left.as_ref(), right.as_ref())? && compares("<=", left.as_ref(), last.as_ref())?);
        }
        compares(comparator, left.as_ref(), right.as_ref())
    }

    /// A value of an update: a place, `if_not_exists(name, place)`, or a sum of two.
    fn sum(&mut self, item: &Item) -> Result<Value, Misread> {
        let value = self.operand(item)?;
        if !self.skip("+") {
            return Ok(value);
        }
        let other = self.operand(item)?;
        let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i128>().ok());
        let sum =
            number(&value).zip(number(&other)).map(|(a, b)| a + b).ok_or_else(|| self.misread("whole numbers"))?;
        Ok(json!({ "N": sum.to_string() }))
    }

    fn operand(&mut self, item: &Item) -> Result<Value, Misread> {
        let token = self.next()?;
        if token != "if_not_exists" {
            return self.read(token, item)?.ok_or_else(|| self.misread("an attribute that is there"));
        }
        let name = self.argument()?;
        self.expect(",")?;
        let place = self.next()?;
        let value = self.read(place, item)?;
        self.expect(")")?;
        item.get(&name).cloned().or(value).ok_or_else(|| self.misread("a value to set"))
    }

    /// `(name`, of a function.
    fn argument(&mut self) -> Result<String, Misread> {
        self.expect("(")?;
        let token = self.next()?;
        self.name(token)
    }

    fn read(&self, token: &str, item: &Item) -> Result<Option<Value>, Misread> {
        if token.starts_with(':') { self.value(token).map(Some) } else { Ok(item.get(&self.name(token)?).cloned()) }
    }

    fn name(&self, token: &str) -> Result<String, Misread> {
        let given = if token.starts_with('#') { self.names.get(token).and_then(Value::as_str) } else { Some(token) };
        given.map(ToOwned::to_owned).ok_or_else(|| format!("the name {token} is not given"))
    }

    fn value(&self, token: &str) -> Result<Value, Misread> {
        self.values.get(token).cloned().ok_or_else(|| format!("the value {token} is not given"))
    }

    fn next(&mut self) -> Result<&'a str, Misread> {
        let token = self.tokens.get(self.at).copied().ok_or_else(|| self.misread("more"))?;
        self.at += 1;
        Ok(token)
    }

    fn skip(&mut self, token: &str) -> bool {
        let is_there = self.tokens.get(self.at).is_some_and(|next| *next == token);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, token: &str) -> Result<(), Misread> {
        if self.skip(token) { Ok(()) } else { Err(self.misread(token)) }
    }

    fn misread(&self, expected: &str) -> Misread {
        format!("expected {expected} at word {} of {:?}", self.at, self.tokens.join(" "))
    }
}

/// What is missing fits no comparison.
fn compares(comparator: &str, left: Option<&Value>, right: Option<&Value>) -> Result<bool, Misread> {
    let Some((left, right)) = left.zip(right) else { return Ok(false) };
    if comparator == "=" || comparator == "<>" {
        return Ok((left == right) == (comparator == "="));
    }
    let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i128>().ok());
    let order = match (left["S"].as_str().zip(right["S"].as_str()), number(left).zip(number(right))) {
        (Some((left, right)), _) => left.cmp(right),
        (None, Some((left, right))) => left.cmp(&right),
        (None, None) => return Ok(false),
    };
    match comparator {
        "<" => Ok(order == Ordering::Less),
        "<=" => Ok(order != Ordering::Greater),
        ">" => Ok(order == Ordering::Greater),
        ">=" => Ok(order != Ordering::Less),
        other => Err(format!("{other} is no comparator")),
    }
}

/// Words and signs of an expression.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')', ',', '+', '=', '<', '>']) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                tokens.push(before);
            }
            let length = if ["<=", ">=", "<>"].iter().any(|sign| from.starts_with(sign)) { 2 } else { 1 };
            let (sign, after) = from.split_at(length);
            tokens.push(sign);
            rest = after;
        }
        if !rest.is_empty() {
            tokens.push(rest);
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: &Value) -> Item {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn conditions_hold_as_they_do_at_dynamodb() {
        let item = map(&json!({ "status": { "S": "pending" }, "attempts": { "N": "10" } }));
        let names = map(&json!({ "#status": "status", "#id": "id" }));
        let values = map(&json!({ ":s": { "S": "pending" }, ":n": { "N": "9" }, ":t": { "S": "q" } }));
        for (condition, expected) in [
            ("#status = :s", true),
            ("#status=:s AND attempts<=:n", false),
            ("attempts > :n", true),
            ("attribute_not_exists(#id) OR (#status = :t AND attribute_exists(attempts))", true),
            ("NOT attribute_not_exists(#id)", false),
            ("#status <> :s OR missing < :n", false),
            ("begins_with(#status, :s) AND #status BETWEEN :s AND :t", true),
        ] {
            let read = Expression::new(condition, &names, &values);
            assert_eq!(read.holds(&item), Ok(expected), "{condition}");
        }
        assert!(Expression::new("size(#status) > :n", &names, &values).holds(&item).is_err());
    }

    #[test]
    fn updates_set_and_remove() {
        let item = map(&json!({ "created": { "S": "then" }, "attempts": { "N": "1" }, "lease": { "S": "x" } }));
        let names = map(&json!({ "#created": "created", "#status": "status" }));
        let values = map(&json!({ ":now": { "S": "now" }, ":one": { "N": "1" } }));
        let update =
            "SET #created = if_not_exists(#created, :now), #status = :now, attempts = attempts + :one REMOVE lease";
        let updated = Expression::new(update, &names, &values).updated(&item).unwrap();
        let expected = json!({ "created": { "S": "then" }, "attempts": { "N": "2" }, "status": { "S": "now" } });
        assert_eq!(Value::Object(updated), expected);
    }

    #[test]
    fn a_query_names_its_partition() {
        let names = map(&json!({ "#k": "status_key" }));
        let values = map(&json!({ ":k": { "S": "error#0" }, ":until": { "S": "2026" } }));
        let read = Expression::new("#k = :k AND updated_at <= :until", &names, &values);
        assert_eq!(read.hash_key(), Ok(("status_key".to_owned(), json!({ "S": "error#0" }))));
    }
}
