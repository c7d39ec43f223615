//! How figures are written in the pages.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior};

/// What pages are made with: nothing undefined, and figures in one form.
pub(crate) fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    environment.add_filter("usd", |dollars: f64| {
        let (sign, dollars) = if dollars < -0.005 { ("−", -dollars) } else { ("", dollars.abs()) };
        if dollars >= 1000.0 { format!("{sign}${}", grouped(dollars)) } else { format!("{sign}${dollars:.2}") }
    });
    environment.add_filter("price", |price: f64| {
        let (short, long) = (format!("${price:.2}"), format!("${price}"));
        if long.len() > short.len() { long } else { short }
    });
    environment.add_filter("n", grouped);
    environment.add_filter("f", |value: f64, digits: usize| format!("{value:.digits$}"));
    Ok(environment)
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digits.as_bytes().get(at - 1) != Some(&b'-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// How many tables a page has; each line of one has as many cells as its head.
    pub(crate) fn tables(text: &str) -> usize {
        let (mut width, mut tables) = (None, 0);
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let cells = line.starts_with('|').then(|| line.matches('|').count());
            match (width, cells) {
                (None, Some(_)) => {
                    assert!(lines[at + 1].starts_with("|---"), "{line}");
                    tables += 1;
                }
                (Some(head), Some(cells)) => assert_eq!(head, cells, "{line}"),
                _ => {}
            }
            width = cells.map(|cells| width.unwrap_or(cells));
        }
        tables
    }

    #[test]
    fn thousands_are_apart() {
        for (value, expected) in
            [(0.0, "0"), (999.0, "999"), (1000.0, "1,000"), (1_234_567.0, "1,234,567"), (-1000.0, "-1,000")]
        {
            assert_eq!(grouped(value), expected);
        }
    }
}
