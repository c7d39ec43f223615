//! Who asks, and what they may do: users of a secret who sign in, or the claims that the API's JWT authorizer has verified.

pub(crate) mod attempts;
pub(crate) mod claims;
pub(crate) mod csrf;
pub(crate) mod guard;
pub(crate) mod token;
pub(crate) mod users;

use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Look at everything.
    Viewer,
    /// Act as well.
    Operator,
}

impl Role {
    /// As it is written in the secret, in claims and on pages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }

    /// The role of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator].into_iter().find(|role| role.name() == name)
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// The user's name, as the audit log has it.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// What forms are bound to, so that no other site can send them: one for each sign-in. Empty where whoever asks shows a
    /// token with each request, which no other site can make a browser do.
    pub(crate) session: String,
}

#[cfg(test)]
pub(crate) mod test {
    //! Users for the tests.

    use jiff::Timestamp;

    use super::users::Users;

    /// The password of the user `ada`, an operator; that of `bob`, a viewer, is the same.
    pub(crate) const ADA: &str = "correct horse battery staple";
    /// A secret as a deployment has it. The hashes are of little work, as tests wait for them.
    pub(crate) const SECRET: &str = r#"{"signing_keys":["00000000000000000000000000000000"],"users":[
        {"name":"ada","password":"$argon2id$v=19$m=64,t=1,p=1$SeZZtuS0WAIcJXzQc0vT6Q$2QSauJHGuQHV65azpdrdQFlkw8x+u3RYU5KwcQ2edK0","role":"operator"},
        {"name":"bob","password":"$argon2id$v=19$m=64,t=1,p=1$SeZZtuS0WAIcJXzQc0vT6Q$2QSauJHGuQHV65azpdrdQFlkw8x+u3RYU5KwcQ2edK0","role":"viewer"}]}"#;

    pub(crate) fn users() -> Users {
        Users::from_json(SECRET).unwrap()
    }

    pub(crate) fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }
}
