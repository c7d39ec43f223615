//! Asking whether it is meant.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::exit::Failure;

/// Whether the caller means it: said beforehand, or asked at a terminal. Without one there is nobody to be asked.
pub(crate) fn confirmed(yes: bool, what: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Usage(format!("to {what} without a terminal, say --yes")));
    }
    let unheard = |error: io::Error| Failure::Wrong(format!("the answer cannot be read: {error}"));
    write!(io::stderr().lock(), "{what}? [y/N] ").map_err(unheard)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(unheard)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_yes_is_one() {
        for (answer, expected) in [("y\n", true), ("Yes", true), ("", false), ("n", false), ("yesterday", false)] {
            assert_eq!(is_yes(answer), expected, "{answer}");
        }
    }
}
