//! As much of PHP's serialized objects as it takes to find a number or a text by its name. Pure.

/// The value of the first property or key called `name`, however deep; private and protected ones have their class or a
/// `*` before the name.
pub(super) fn value_of(serialized: &str, name: &str) -> Option<String> {
    let text = serialized.as_bytes();
    let mut at = 0;
    while let Some(token) = next(text, at) {
        let is_named = |key: &[u8]| key.rsplit(|byte| *byte == 0).next() == Some(name.as_bytes());
        let value = next(text, token.end).filter(|value| value.starts == token.end);
        if let Some(value) = value.filter(|_| token.text.is_some_and(is_named)) {
            return value.plain();
        }
        at = token.end;
    }
    None
}

/// A text, or a number, somewhere in what is serialized.
#[derive(Debug)]
struct Token<'t> {
    starts: usize,
    end: usize,
    /// The text; nothing for a number.
    text: Option<&'t [u8]>,
    number: Option<&'t [u8]>,
}

impl Token<'_> {
    fn plain(&self) -> Option<String> {
        let bytes = self.text.or(self.number)?;
        let text = std::str::from_utf8(bytes).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// The next token at `at` or after it. Lengths are believed, so that a text that looks like a token is none.
fn next(text: &[u8], at: usize) -> Option<Token<'_>> {
    (at..text.len()).find_map(|starts| string(text, starts).or_else(|| number(text, starts)))
}

/// `s:5:"hello";`
fn string(text: &[u8], starts: usize) -> Option<Token<'_>> {
    let rest = text.get(starts..)?.strip_prefix(b"s:")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length: usize = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let begin = digits.checked_add(2)?;
    let end = begin.checked_add(length)?;
    let is_whole = rest.get(digits..begin) == Some(b":\"") && rest.get(end..end.checked_add(2)?) == Some(b"\";");
    let inner = rest.get(begin..end).filter(|_| is_whole)?;
    Some(Token { starts, end: starts + 2 + end + 2, text: Some(inner), number: None })
}

/// `i:42;`
fn number(text: &[u8], starts: usize) -> Option<Token<'_>> {
    let rest = text.get(starts..)?.strip_prefix(b"i:")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    let inner = rest.get(..digits).filter(|inner| !inner.is_empty() && rest.get(digits) == Some(&b';'))?;
    Some(Token { starts, end: starts + 2 + digits + 1, text: None, number: Some(inner) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_found_by_their_names_whoever_may_see_them() {
        let job = "O:9:\"Erp_Order\":3:{s:7:\"orderId\";i:4711;s:15:\"\0Erp_Order\0name\";s:11:\"Order #1001\";s:8:\"\0*\0_data\";\
                   a:1:{s:12:\"increment_id\";s:9:\"100001001\";}}";
        for (name, expected) in [
            ("orderId", Some("4711")),
            ("name", Some("Order #1001")),
            ("increment_id", Some("100001001")),
            ("_data", None),
            ("order", None),
        ] {
            assert_eq!(value_of(job, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_text_that_looks_like_a_name_is_none() {
        let job = "a:2:{s:4:\"note\";s:18:\"s:7:\"orderId\";i:1;\";s:7:\"orderId\";i:2;}";
        assert_eq!(value_of(job, "orderId").as_deref(), Some("2"));
        for broken in ["", "s:99999999999999999999:\"a\";", "s:5:\"ab\";", "i:;", "s:7:\"orderId\";", "not serialized"]
        {
            assert_eq!(value_of(broken, "orderId"), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm(text in "[si:\"0-9;{}a-z\\x00é]{0,60}", name in "[a-z]{1,3}") {
            let _ = value_of(&text, &name);
        }
    }
}
