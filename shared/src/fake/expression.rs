//! Conditions and updates of `DynamoDB`, as far as they are used here.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

/// An item of a table.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An expression with the names and values that it is given, of which it must use every one, as `DynamoDB` demands.
#[derive(Debug)]
pub(crate) struct Expressions<'a> {
    names: &'a HashMap<String, String>,
    values: &'a HashMap<String, AttributeValue>,
    used: BTreeSet<String>,
}

impl<'a> Expressions<'a> {
    pub(crate) fn new(names: &'a HashMap<String, String>, values: &'a HashMap<String, AttributeValue>) -> Self {
        Self { names, values, used: BTreeSet::new() }
    }

    /// Whether an item fits a condition; one that is missing has no attributes.
    pub(crate) fn holds(&mut self, condition: &str, item: &Item) -> bool {
        let tokens = tokens(condition);
        let mut at = 0;
        let holds = self.any(&tokens, &mut at, item);
        assert_eq!(at, tokens.len(), "{condition}: {tokens:?}");
        holds
    }

    /// The item after an update.
    pub(crate) fn updated(&mut self, update: &str, item: &Item) -> Item {
        let tokens = tokens(update);
        let (mut changed, mut touched, mut at, mut clause) = (item.clone(), BTreeSet::new(), 0, "");
        while at < tokens.len() {
            match tokens[at].as_str() {
                "SET" => clause = "SET",
                "REMOVE" => clause = "REMOVE",
                "," => {}
                _ => {
                    let name = self.name(&tokens[at]);
                    assert!(touched.insert(name.clone()), "two document paths overlap: {name} in {update}");
                    if clause == "REMOVE" {
                        changed.remove(&name);
                    } else {
                        at += 2;
                        let value = self.operand(&tokens, &mut at, item);
                        changed.insert(name, value);
                        continue;
                    }
                }
            }
            at += 1;
        }
        changed
    }

    /// Notes what an expression uses that is not carried out.
    pub(crate) fn uses(&mut self, expression: &str) {
        self.used.extend(tokens(expression).into_iter().filter(|token| token.starts_with([':', '#'])));
    }

    /// Fails where a name or value is given and not used.
    pub(crate) fn finish(self) {
        for given in self.names.keys().chain(self.values.keys()) {
            assert!(self.used.contains(given), "{given} is given and not used");
        }
    }

    /// A value of an update, which begins at a token: its place, `if_not_exists(name, place)`, or a sum.
    fn operand(&mut self, tokens: &[String], at: &mut usize, item: &Item) -> AttributeValue {
        let value = if tokens[*at] == "if_not_exists" {
            let (name, place) = (self.name(&tokens[*at + 2]), &tokens[*at + 4]);
            *at += 6;
            let value = self.value(place);
            item.get(&name).cloned().unwrap_or(value)
        } else {
            *at += 1;
            self.read(&tokens[*at - 1], item).expect("an attribute of the sum")
        };
        if tokens.get(*at).is_none_or(|token| token != "+") {
            return value;
        }
        *at += 2;
        let other = self.read(&tokens[*at - 1], item).expect("an attribute of the sum");
        AttributeValue::N((number(&value) + number(&other)).to_string())
    }

    fn any(&mut self, tokens: &[String], at: &mut usize, item: &Item) -> bool {
        let mut holds = self.all(tokens, at, item);
        while tokens.get(*at).is_some_and(|token| token == "OR") {
            *at += 1;
            holds |= self.all(tokens, at, item);
        }
        holds
    }

    fn all(&mut self, tokens: &[String], at: &mut usize, item: &Item) -> bool {
        let mut holds = self.one(tokens, at, item);
        while tokens.get(*at).is_some_and(|token| token == "AND") {
            *at += 1;
            holds &= self.one(tokens, at, item);
        }
        holds
    }

    fn one(&mut self, tokens: &[String], at: &mut usize, item: &Item) -> bool {
        let first = tokens[*at].as_str();
        match first {
            "(" => {
                *at += 1;
                let holds = self.any(tokens, at, item);
                *at += 1;
                holds
            }
            "attribute_exists" | "attribute_not_exists" => {
                let name = self.name(&tokens[*at + 2]);
                *at += 4;
                item.contains_key(&name) == (first == "attribute_exists")
            }
            "begins_with" => {
                let (name, start) = (self.name(&tokens[*at + 2]), self.value(&tokens[*at + 4]));
                *at += 6;
                item.get(&name).is_some_and(|value| text(value).starts_with(text(&start)))
            }
            _ if tokens[*at + 1] == "BETWEEN" => {
                let [value, low, high] = [*at, *at + 2, *at + 4].map(|at| self.read(&tokens[at], item));
                *at += 5;
                let (is_from, is_to) = (value.clone().zip(low), value.zip(high));
                is_from.is_some_and(|(value, low)| compares("<=", &low, &value))
                    && is_to.is_some_and(|(value, high)| compares("<=", &value, &high))
            }
            _ => {
                let (left, right) = (self.read(first, item), self.read(&tokens[*at + 2], item));
                let comparator = tokens[*at + 1].as_str();
                *at += 3;
                left.zip(right).is_some_and(|(left, right)| compares(comparator, &left, &right))
            }
        }
    }

    fn read(&mut self, token: &str, item: &Item) -> Option<AttributeValue> {
        if token.starts_with(':') { Some(self.value(token)) } else { item.get(&self.name(token)).cloned() }
    }

    fn name(&mut self, token: &str) -> String {
        self.used.insert(token.to_owned());
        if token.starts_with('#') { self.names[token].clone() } else { token.to_owned() }
    }

    fn value(&mut self, token: &str) -> AttributeValue {
        self.used.insert(token.to_owned());
        self.values.get(token).unwrap_or_else(|| panic!("{token} is not given")).clone()
    }
}

fn compares(comparator: &str, left: &AttributeValue, right: &AttributeValue) -> bool {
    let order = match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => left.cmp(right),
        (AttributeValue::N(_), AttributeValue::N(_)) => number(left).cmp(&number(right)),
        _ => panic!("{left:?} and {right:?} are not of one type"),
    };
    match comparator {
        "=" => order == Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => panic!("the comparator {comparator}"),
    }
}

fn number(value: &AttributeValue) -> i128 {
    value.as_n().ok().and_then(|digits| digits.parse().ok()).expect("a whole number")
}

fn text(value: &AttributeValue) -> &str {
    value.as_s().expect("a text")
}

fn tokens(expression: &str) -> Vec<String> {
    let mut spaced = String::new();
    for char in expression.chars() {
        match char {
            '(' | ')' | ',' | '+' => spaced.extend([' ', char, ' ']),
            _ => spaced.push(char),
        }
    }
    spaced.split_whitespace().map(ToOwned::to_owned).collect()
}
