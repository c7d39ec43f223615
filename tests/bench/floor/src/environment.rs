//! What the function is told by its environment, and the clock.

use jiff::Timestamp;

use crate::Error;

/// The value of a variable; an empty one counts as missing.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the environment")]
pub(crate) fn variable(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that must be there.
pub(crate) fn required(name: &'static str) -> Result<String, Error> {
    variable(name).ok_or_else(|| Error::new(name, "it must be set"))
}

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the clock of this crate")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
