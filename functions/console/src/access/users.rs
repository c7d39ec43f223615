//! The secret with the users and the keys that sessions are signed with.

use std::collections::BTreeSet;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use ring::digest;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Role;

/// Shorter than this a signing key could be guessed.
const KEY_CHARACTERS: usize = 32;
/// Longer ones are refused unread, as each costs as much time as it has characters.
pub(crate) const PASSWORD_CHARACTERS: usize = 200;
/// The hash of no user's password, so that a name that does not exist takes as long as one that does.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$noXV9vJW80D5ZJq7kX7mSw$Y2eSEWY+Owgxt4wsyj1VA8evGULNQ332ku47smhEXDg";

/// The users, as the secret has them:
/// `{"signing_keys": ["…"], "users": [{"name": "ada", "password": "$argon2id$…", "role": "operator"}]}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Users {
    /// The first signs, all verify: a new one is put before the old one, which goes when its sessions are over.
    signing_keys: Vec<Zeroizing<String>>,
    users: Vec<User>,
}

/// One user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) name: String,
    /// Argon2id, in the PHC string format.
    password: Zeroizing<String>,
    pub(crate) role: Role,
}

/// What is wrong with the secret. Nothing of what it says is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUsers {
    #[error(
        "the secret of the console is not of the form {{\"signing_keys\": [...], \"users\": [...]}}, line {line}, column {column}"
    )]
    Form { line: usize, column: usize },
    #[error(
        "the secret of the console needs at least one of signing_keys, each of {KEY_CHARACTERS} characters or more"
    )]
    Keys,
    #[error("users[{0}] in the secret of the console: name is empty, or another user has it")]
    Name(usize),
    #[error("users[{0}] in the secret of the console: password is not an argon2id hash ($argon2id$v=19$...)")]
    Password(usize),
}

impl Users {
    /// Reads the secret.
    pub(crate) fn from_json(text: &str) -> Result<Self, BadUsers> {
        let bad = |error: &serde_json::Error| BadUsers::Form { line: error.line(), column: error.column() };
        let users: Self = serde_json::from_str(text).map_err(|error| bad(&error))?;
        if users.signing_keys.is_empty() || users.signing_keys.iter().any(|key| key.len() < KEY_CHARACTERS) {
            return Err(BadUsers::Keys);
        }
        let mut names = BTreeSet::new();
        for (index, user) in users.users.iter().enumerate() {
            if user.name.is_empty() || !names.insert(&user.name) {
                return Err(BadUsers::Name(index));
            }
            let is_hash = PasswordHash::new(&user.password).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id");
            if !is_hash {
                return Err(BadUsers::Password(index));
            }
        }
        Ok(users)
    }

    /// The keys, the one to sign with first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.signing_keys.iter().map(|key| key.as_bytes())
    }

    /// The user of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The user with this name and password. It takes as long where there is no such name.
    pub(crate) fn with_password(&self, name: &str, password: &str) -> Option<&User> {
        let user = self.named(name);
        let hash = PasswordHash::new(user.map_or(NOBODY, |user| &user.password)).ok()?;
        let is_right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
        user.filter(|_| is_right)
    }
}

impl User {
    /// Changes with the password, so that a session does not outlive the one it began with.
    pub(crate) fn generation(&self) -> String {
        hex::encode(&digest::digest(&digest::SHA256, self.password.as_bytes()).as_ref()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::test::{ADA, SECRET};

    #[test]
    fn a_user_is_known_by_name_and_password() {
        let users = Users::from_json(SECRET).unwrap();
        assert_eq!(users.with_password("ada", ADA).map(|user| user.role), Some(Role::Operator));
        assert!(users.with_password("ada", "wrong").is_none());
        assert!(users.with_password("nobody", ADA).is_none());
        assert!(users.with_password("", "").is_none());
    }

    #[test]
    fn what_the_command_line_makes_of_a_password_is_taken() {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$J1k0PF9QixzaCNOTrLU4cg$MZhSfh38JJ50jR0xZkI1xnhy5+/9kBWVsj4JIAZg7o4";
        let key = "k".repeat(KEY_CHARACTERS);
        let user = format!(r#"{{"name":"ada","password":"{hash}","role":"viewer"}}"#);
        let users = Users::from_json(&format!(r#"{{"signing_keys":["{key}"],"users":[{user}]}}"#)).unwrap();
        assert!(users.with_password("ada", ADA).is_some() && users.with_password("ada", "another").is_none());
    }

    #[test]
    fn the_hash_of_nobody_is_one() {
        PasswordHash::new(NOBODY).unwrap();
    }

    #[test]
    fn what_is_wrong_with_the_secret_is_told_without_what_it_says() {
        let key = "k".repeat(32);
        let one = |user: &str| format!(r#"{{"signing_keys":["{key}"],"users":[{user}]}}"#);
        let twice = r#"{"name":"a","password":"$argon2id$v=19$m=19456,t=2,p=1$noXV9vJW80D5ZJq7kX7mSw$Y2eSEWY+Owgxt4wsyj1VA8evGULNQ332ku47smhEXDg","role":"viewer"}"#;
        for (text, expected) in [
            ("no json".to_owned(), BadUsers::Form { line: 1, column: 2 }),
            (r#"{"signing_keys":[],"users":[]}"#.to_owned(), BadUsers::Keys),
            (r#"{"signing_keys":["short"],"users":[]}"#.to_owned(), BadUsers::Keys),
            (one(r#"{"name":"","password":"x","role":"viewer"}"#), BadUsers::Name(0)),
            (one(&format!("{twice},{twice}")), BadUsers::Name(1)),
            (one(r#"{"name":"a","password":"hunter2","role":"viewer"}"#), BadUsers::Password(0)),
        ] {
            let error = Users::from_json(&text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(matches!(
            Users::from_json(&one(r#"{"name":"a","password":"x","role":"root"}"#)),
            Err(BadUsers::Form { .. })
        ));
    }
}
