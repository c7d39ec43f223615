//! Reading a TOML document so that every problem in it is found at once, each with its line and path.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File that it is in.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Path to the value, such as `pipelines[0].transport.url`; empty for the document as a whole.
    pub path: String,
    /// What was expected there, and what was found.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// The problems of one document, collected while it is read.
#[derive(Debug)]
pub struct Problems<'d> {
    file: &'d str,
    text: &'d str,
    found: RefCell<Vec<Problem>>,
}

impl<'d> Problems<'d> {
    /// No problems yet in `text`, the contents of `file`.
    pub fn new(file: &'d str, text: &'d str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// Records a problem at the byte offset `at`.
    pub fn add(&self, at: usize, path: &str, message: impl Into<String>) {
        let upto = self.text.get(..at).unwrap_or(self.text);
        let line = upto.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let problem = Problem { file: self.file.to_owned(), line, path: path.to_owned(), message: message.into() };
        self.found.borrow_mut().push(problem);
    }

    /// All problems, in the order of the document.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
        found
    }
}

/// A value in the document and where it stands.
#[derive(Debug, Clone)]
pub struct Node<'d> {
    value: &'d DeValue<'d>,
    path: String,
    span: Range<usize>,
    problems: &'d Problems<'d>,
}

impl<'d> Node<'d> {
    /// Reads the value with `parse`, whose error says what was expected; records a problem when it fails.
    pub fn parse<T>(&self, parse: impl FnOnce(&DeValue<'d>) -> Result<T, String>) -> Option<T> {
        parse(self.value)
            .inspect_err(|expected| self.problem(format!("expected {expected}, found {}", describe(self.value))))
            .ok()
    }

    /// Whether the value is a string.
    pub fn is_string(&self) -> bool {
        self.value.is_str()
    }

    /// The value as a table; records a problem when it is none.
    pub fn table(&self) -> Option<Table<'d>> {
        if let DeValue::Table(table) = self.value {
            let (path, span) = (self.path.clone(), self.span.clone());
            return Some(Table { values: table, path, span, asked: RefCell::default(), problems: self.problems });
        }
        self.problem(format!("expected a table, found {}", describe(self.value)));
        None
    }

    /// Reads each element of a list; a single value that is no list counts as a list of one.
    pub fn each<T>(&self, read: impl FnMut(Node<'d>) -> Option<T>) -> Vec<T> {
        self.elements().into_iter().filter_map(read).collect()
    }

    fn elements(&self) -> Vec<Node<'d>> {
        let DeValue::Array(array) = self.value else { return vec![self.clone()] };
        let element = |(index, spanned): (usize, &'d Spanned<DeValue<'d>>)| Node {
            value: spanned.get_ref(),
            path: format!("{}[{index}]", self.path),
            span: spanned.span(),
            problems: self.problems,
        };
        array.iter().enumerate().map(element).collect()
    }

    /// Records a problem with this value.
    pub fn problem(&self, message: impl Into<String>) {
        self.problems.add(self.span.start, &self.path, message);
    }
}

/// A table of the document. Keys that nobody asked for are problems, see [`Table::check`].
#[derive(Debug)]
pub struct Table<'d> {
    values: &'d DeTable<'d>,
    path: String,
    span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
    problems: &'d Problems<'d>,
}

impl<'d> Table<'d> {
    /// The whole document.
    pub fn root(table: &'d DeTable<'d>, problems: &'d Problems<'d>) -> Self {
        Self { values: table, path: String::new(), span: 0..0, asked: RefCell::default(), problems }
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &'static str) -> Option<Node<'d>> {
        self.asked.borrow_mut().insert(key);
        let (_, spanned) = self.values.iter().find(|(name, _)| name.get_ref() == key)?;
        let path = self.path_to(key);
        Some(Node { value: spanned.get_ref(), path, span: spanned.span(), problems: self.problems })
    }

    /// The value of `key`; records a problem when it is not there.
    pub fn required(&self, key: &'static str) -> Option<Node<'d>> {
        let node = self.get(key);
        if node.is_none() {
            self.problem(format!("the key {key:?} is missing"));
        }
        node
    }

    /// The value of `key` read with `parse`; nothing when it is not there or not as expected.
    pub fn read<T>(&self, key: &'static str, parse: impl FnOnce(&DeValue<'d>) -> Result<T, String>) -> Option<T> {
        self.get(key)?.parse(parse)
    }

    /// The value of `key` read with `parse`; a problem when it is not there.
    pub fn require<T>(&self, key: &'static str, parse: impl FnOnce(&DeValue<'d>) -> Result<T, String>) -> Option<T> {
        self.required(key)?.parse(parse)
    }

    /// Every element of the list `key`, read with `parse`; empty when it is not there.
    pub fn list<T>(&self, key: &'static str, parse: impl Fn(&DeValue<'d>) -> Result<T, String>) -> Vec<T> {
        self.get(key).map(|node| node.each(|element| element.parse(&parse))).unwrap_or_default()
    }

    /// All entries of a table whose keys are the merchant's own, such as header names.
    pub fn entries(&self) -> Vec<(String, Node<'d>)> {
        let entry = |(name, spanned): (&Spanned<std::borrow::Cow<'d, str>>, &'d Spanned<DeValue<'d>>)| {
            let key = name.get_ref().to_string();
            let path = self.path_to(&key);
            (key, Node { value: spanned.get_ref(), path, span: spanned.span(), problems: self.problems })
        };
        self.values.iter().map(entry).collect()
    }

    /// Records a problem with the table as a whole.
    pub fn problem(&self, message: impl Into<String>) {
        self.problems.add(self.span.start, &self.path, message);
    }

    /// Records every key that nobody asked for, with the keys there are. Call it after the last `get`.
    pub fn check(&self) {
        let asked = self.asked.borrow();
        for (name, _) in self.values {
            if !asked.contains(name.get_ref().as_ref()) {
                let known: Vec<&str> = asked.iter().copied().collect();
                let message = format!("unknown key, expected one of: {}", known.join(", "));
                self.problems.add(name.span().start, &self.path_to(name.get_ref()), message);
            }
        }
    }

    /// [`Table::check`], when nothing is read afterwards.
    pub fn finish(self) {
        self.check();
    }

    fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// What a value is, for an error message; the text of short values, never of long ones or of what may hold a password.
fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() <= 60 && !text.contains('@') => format!("the string {text:?}"),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        other => format!("a {}", other.type_str()),
    }
}
