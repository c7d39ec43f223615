//! What minijinja would only notice when an order is rendered, found when the configuration is loaded: filters, tests
//! and names that do not exist, comparisons that cannot be true, other templates that cannot be reached.

use std::collections::HashSet;

use minijinja::Value;

use super::tokens::{self, Token};
use super::{EXPRESSIONS, Escape, TemplateError, model};

/// Which root names an expression may use.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'n> {
    /// Whatever it is evaluated over.
    Anything,
    /// These.
    Names(&'n [&'n str]),
}

/// Names that minijinja brings along.
const GLOBALS: [&str; 6] = ["range", "dict", "namespace", "loop", "self", "caller"];

/// Names of amounts, in the order and in its items.
const AMOUNTS: [&str; 6] = ["total", "subtotal", "tax", "discount", "shipping", "unit_price"];

/// Checks a template that compiles; `undeclared` are the names that it takes from outside.
pub(super) fn template(
    name: &str,
    source: &str,
    escape: Escape,
    known: Known<'_>,
    undeclared: HashSet<String>,
) -> Result<(), TemplateError> {
    let tokens = tokens::of_template(source);
    Check { name, tokens: &tokens }.run(known, undeclared, escape)
}

/// Checks an expression that compiles.
pub(super) fn expression(
    name: &str,
    source: &str,
    known: Known<'_>,
    undeclared: HashSet<String>,
) -> Result<(), TemplateError> {
    let tokens = tokens::of_expression(source);
    Check { name, tokens: &tokens }.run(known, undeclared, Escape::None)
}

struct Check<'a> {
    name: &'a str,
    tokens: &'a [(Token<'a>, usize)],
}

impl Check<'_> {
    fn run(&self, known: Known<'_>, undeclared: HashSet<String>, escape: Escape) -> Result<(), TemplateError> {
        let assigned = Assigned::by(self.tokens);
        for at in 0..self.tokens.len() {
            self.statement(at)?;
            self.filter(at, escape)?;
            self.test(at)?;
            self.comparison_with_none(at)?;
            self.path(at, known, &assigned)?;
        }
        match known {
            Known::Anything => Ok(()),
            Known::Names(names) => self.roots(names, undeclared, &assigned),
        }
    }

    fn token(&self, at: usize) -> Option<Token<'_>> {
        self.tokens.get(at).map(|(token, _)| *token)
    }

    /// The name at `at`, unless it is the field of something.
    fn root_name(&self, at: usize) -> Option<&str> {
        let Some(Token::Name(name)) = self.token(at) else { return None };
        let is_field = at > 0 && self.token(at - 1) == Some(Token::Sign('.'));
        (!is_field).then_some(name)
    }

    fn error(&self, at: usize, message: String) -> TemplateError {
        let line = self.tokens.get(at).map_or(1, |(_, line)| *line);
        TemplateError { name: self.name.to_owned(), line, message }
    }

    fn statement(&self, at: usize) -> Result<(), TemplateError> {
        if self.token(at) != Some(Token::Statement) {
            return Ok(());
        }
        match self.token(at + 1) {
            Some(Token::Name(name @ ("include" | "import" | "from" | "extends"))) => {
                Err(self.error(at, format!("`{name}`: a template cannot use others")))
            }
            Some(Token::Name("filter")) => self.known_filter(at + 2),
            _ => Ok(()),
        }
    }

    fn filter(&self, at: usize, escape: Escape) -> Result<(), TemplateError> {
        if self.token(at) != Some(Token::Sign('|')) {
            return Ok(());
        }
        if escape == Escape::ObjectKey && self.token(at + 1) == Some(Token::Name("safe")) {
            return Err(self.error(at, "`safe` is not allowed in an object key: a value could leave its prefix".into()));
        }
        self.known_filter(at + 1)
    }

    fn known_filter(&self, at: usize) -> Result<(), TemplateError> {
        match self.token(at) {
            Some(Token::Name(name)) if !exists("filter", name) => {
                Err(self.error(at, format!("unknown filter `{name}`")))
            }
            _ => Ok(()),
        }
    }

    fn test(&self, at: usize) -> Result<(), TemplateError> {
        if self.root_name(at) != Some("is") {
            return Ok(());
        }
        let at = if self.token(at + 1) == Some(Token::Name("not")) { at + 2 } else { at + 1 };
        match self.token(at) {
            Some(Token::Name(name)) if !exists("test", name) => Err(self.error(at, format!("unknown test `{name}`"))),
            _ => Ok(()),
        }
    }

    /// A null of the order is not equal to the literal `none`.
    fn comparison_with_none(&self, at: usize) -> Result<(), TemplateError> {
        let is_comparison =
            matches!(self.token(at), Some(Token::Sign('=' | '!'))) && self.token(at + 1) == Some(Token::Sign('='));
        let is_none = |token| matches!(token, Some(Token::Name("none" | "None" | "null")));
        if is_comparison && (is_none(self.token(at + 2)) || (at > 0 && is_none(self.token(at - 1)))) {
            return Err(self.error(at, "compare with `is none` or `is not none`".into()));
        }
        Ok(())
    }

    /// A path into the order, or into one of its items, that does not exist.
    fn path(&self, at: usize, known: Known<'_>, assigned: &Assigned<'_>) -> Result<(), TemplateError> {
        let Some(root) = self.root_name(at) else { return Ok(()) };
        let is_item = assigned.only_items(root) || (root == "item" && known.has("item"));
        let mut value = if root == "order" && !assigned.has("order") {
            model::order()
        } else if is_item {
            model::item()
        } else {
            return Ok(());
        };
        let (mut path, first, mut at) = (root.to_owned(), at, at + 1);
        while let (Some(Token::Sign('.')), Some(Token::Name(field))) = (self.token(at), self.token(at + 1)) {
            let Some(next) = model::field(&value, field) else {
                return Err(self.error(at, format!("`{path}.{field}` does not exist; {}", model::offer(&path, &value))));
            };
            path = format!("{path}.{field}");
            if path == "order.extra" {
                return Ok(());
            }
            (value, at) = (next, at + 2);
        }
        self.joined_amount(first, at, &path)
    }

    /// `~` writes the bare float: `129.9` for `129.90`, where every other way writes what the shop wrote.
    fn joined_amount(&self, first: usize, end: usize, path: &str) -> Result<(), TemplateError> {
        let is_tilde = |at: usize| self.token(at) == Some(Token::Sign('~'));
        let is_piped = self.token(end) == Some(Token::Sign('|'));
        let is_amount = path.rsplit('.').next().is_some_and(|name| AMOUNTS.contains(&name));
        if is_amount && (is_tilde(end) || (first > 0 && is_tilde(first - 1) && !is_piped)) {
            let message = format!("`~` may lose decimals of an amount: write `{path} | string` or `{path} | money`");
            return Err(self.error(first, message));
        }
        Ok(())
    }

    fn roots(&self, known: &[&str], undeclared: HashSet<String>, assigned: &Assigned<'_>) -> Result<(), TemplateError> {
        let is_unknown =
            |name: &String| !known.contains(&name.as_str()) && !GLOBALS.contains(&name.as_str()) && !assigned.has(name);
        let position =
            |name: String| (0..self.tokens.len()).find(|at| self.root_name(*at) == Some(&name)).zip(Some(name));
        let first = undeclared.into_iter().filter(is_unknown).filter_map(position).min();
        first.map_or(Ok(()), |(at, name)| {
            Err(self.error(at, format!("unknown name `{name}`; there are: {}", known.join(", "))))
        })
    }
}

impl Known<'_> {
    fn has(self, name: &str) -> bool {
        matches!(self, Self::Names(names) if names.contains(&name))
    }
}

/// Whether the engine has a filter or test of this name; minijinja tells through its tests of the same names.
fn exists(kind: &str, name: &str) -> bool {
    EXPRESSIONS.empty_state().perform_test(kind, &[Value::from(name)]).unwrap_or(true)
}

/// The names that a template gives values itself, and whether they stand for an item of the order.
struct Assigned<'a>(Vec<(&'a str, bool)>);

impl<'a> Assigned<'a> {
    fn by(tokens: &[(Token<'a>, usize)]) -> Self {
        let words: Vec<Token<'a>> = tokens.iter().map(|(token, _)| *token).collect();
        let statements = words.split(|token| *token == Token::Statement).skip(1);
        Self(
            statements
                .flat_map(|words| assignments(words.split(|token| *token == Token::End).next().unwrap_or(words)))
                .collect(),
        )
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(assigned, _)| *assigned == name)
    }

    fn only_items(&self, name: &str) -> bool {
        self.has(name) && self.0.iter().all(|(assigned, is_item)| *assigned != name || *is_item)
    }
}

/// What one statement assigns.
fn assignments<'a>(words: &[Token<'a>]) -> Vec<(&'a str, bool)> {
    let names = |words: &[Token<'a>], is_item: bool| -> Vec<(&'a str, bool)> {
        let name = |token: &Token<'a>| if let Token::Name(name) = token { Some((*name, is_item)) } else { None };
        words.iter().filter_map(name).collect()
    };
    let until = |end: Token<'_>| words.iter().position(|token| *token == end).unwrap_or(words.len());
    match words {
        [Token::Name("for"), Token::Name(item), Token::Name("in"), rest @ ..] => vec![(item, is_items(rest))],
        [Token::Name("for"), ..] => names(&words[..until(Token::Name("in"))], false),
        [Token::Name("set"), ..] => names(&words[..until(Token::Sign('='))], false),
        [Token::Name("macro" | "call" | "with"), ..] => names(words, false),
        _ => Vec::new(),
    }
}

fn is_items(words: &[Token<'_>]) -> bool {
    let [Token::Name("order"), Token::Sign('.'), Token::Name("items"), rest @ ..] = words else { return false };
    matches!(rest, [] | [Token::Name("if" | "recursive"), ..])
}
