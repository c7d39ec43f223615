//! The words of a template, with their lines. Only as much of a lexer as [`super::check`] needs: minijinja has compiled
//! the source by then, and its own syntax tree is not public.

/// A word of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'s> {
    /// `{{`, or the beginning of an expression.
    Output,
    /// `{%`
    Statement,
    /// `}}` or `%}`
    End,
    /// A name or keyword.
    Name(&'s str),
    /// A string or a number.
    Literal,
    /// Any other character.
    Sign(char),
}

/// The words of a template, each with its line.
pub(super) fn of_template(source: &str) -> Vec<(Token<'_>, usize)> {
    let mut lexer = Lexer { rest: source, line: 1, tokens: Vec::new() };
    while let Some(at) = lexer.rest.find('{') {
        lexer.skip(at);
        if lexer.rest.starts_with("{#") {
            lexer.skip_past("#}");
        } else if lexer.rest.starts_with("{{") {
            lexer.code(Token::Output, "}}");
        } else if lexer.rest.starts_with("{%") {
            let first = lexer.tokens.len();
            lexer.code(Token::Statement, "%}");
            if matches!(lexer.tokens.get(first + 1), Some((Token::Name("raw"), _))) {
                lexer.skip_raw();
            }
        } else {
            lexer.skip(1);
        }
    }
    lexer.tokens
}

/// The words of an expression.
pub(super) fn of_expression(source: &str) -> Vec<(Token<'_>, usize)> {
    let mut lexer = Lexer { rest: source, line: 1, tokens: Vec::new() };
    lexer.push(Token::Output);
    while !lexer.rest.is_empty() {
        lexer.word();
    }
    lexer.push(Token::End);
    lexer.tokens
}

struct Lexer<'s> {
    rest: &'s str,
    line: usize,
    tokens: Vec<(Token<'s>, usize)>,
}

impl<'s> Lexer<'s> {
    fn push(&mut self, token: Token<'s>) {
        self.tokens.push((token, self.line));
    }

    /// Goes `bytes` further.
    fn skip(&mut self, bytes: usize) -> &'s str {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        skipped
    }

    fn skip_past(&mut self, end: &str) {
        let bytes = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.skip(bytes);
    }

    /// Stops before the statement that ends the raw block.
    fn skip_raw(&mut self) {
        while let Some(at) = self.rest.find("{%") {
            self.skip(at);
            let statement = self.rest.trim_start_matches(['{', '%', '-', '+']).trim_start();
            if statement.starts_with("endraw") {
                return;
            }
            self.skip(2);
        }
        self.skip(self.rest.len());
    }

    fn code(&mut self, begin: Token<'s>, end: &str) {
        self.push(begin);
        self.skip(2);
        self.rest = self.rest.trim_start_matches(['-', '+']);
        while !self.rest.is_empty() && !self.rest.starts_with(end) {
            self.word();
        }
        self.push(Token::End);
        self.skip(end.len());
    }

    fn word(&mut self) {
        let Some(first) = self.rest.chars().next() else { return };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if matches!(first, '"' | '\'') {
            self.push(Token::Literal);
            self.skip(string_length(self.rest, first));
        } else if first.is_ascii_digit() {
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            self.push(Token::Literal);
            self.skip(self.rest.find(end).unwrap_or(self.rest.len()));
        } else if first.is_alphabetic() || first == '_' {
            let end = |c: char| !c.is_alphanumeric() && c != '_';
            let name = self.rest.split(end).next().unwrap_or_default();
            self.push(Token::Name(name));
            self.skip(name.len());
        } else {
            self.push(Token::Sign(first));
            self.skip(first.len_utf8());
        }
    }
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if character == quote && !escaped {
            return at + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    text.len()
}
