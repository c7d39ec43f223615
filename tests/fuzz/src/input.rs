//! Inputs as texts that people can read and change: a first line, lines of the form `name: value`, an empty line, a body.

use std::fmt::Write as _;

/// An input, taken apart.
pub(crate) struct Input<'a> {
    /// The first line: which of several things is to be looked at.
    pub(crate) what: &'a str,
    /// Names and values.
    pub(crate) fields: Vec<(&'a str, &'a str)>,
    /// Everything after the empty line, byte for byte.
    pub(crate) body: &'a [u8],
}

impl<'a> Input<'a> {
    /// Takes an input apart; nothing where its first lines are no text.
    pub(crate) fn parse(input: &'a [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 2..]));
        let mut lines = str::from_utf8(head).ok()?.split('\n');
        let what = lines.next().unwrap_or_default();
        let fields = lines.filter_map(|line| line.split_once(": ")).collect();
        Some(Self { what, fields, body })
    }

    /// The input that reads so.
    pub(crate) fn write<'f>(what: &str, fields: impl IntoIterator<Item = (&'f str, &'f str)>, body: &[u8]) -> Vec<u8> {
        let mut head = what.to_owned();
        for (name, value) in fields {
            write!(head, "\n{name}: {value}").expect("memory");
        }
        [head.as_bytes(), b"\n\n", body].concat()
    }

    /// One of several: by its name, else by whatever stands there.
    pub(crate) fn choose<'c, T>(&self, choices: &'c [(String, T)]) -> &'c (String, T) {
        let sum = self.what.bytes().map(usize::from).sum::<usize>();
        choices.iter().find(|(name, _)| name == self.what).unwrap_or_else(|| &choices[sum % choices.len()])
    }
}
