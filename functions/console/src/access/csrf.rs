//! What a form carries so that no other site can have a browser send it: a text that only this session's pages have.

use ring::hmac;

use super::Who;
use super::users::Users;

/// The text for the forms of a session.
pub(crate) fn token(who: &Who, users: &Users) -> String {
    users.keys().next().map(|bytes| hex::encode(hmac::sign(&key(bytes), &message(who)))).unwrap_or_default()
}

/// Whether a form that was sent is of this session.
pub(crate) fn is_of(who: &Who, token: &str, users: &Users) -> bool {
    let Ok(tag) = hex::decode(token) else { return false };
    users.keys().filter(|bytes| hmac::verify(&key(bytes), &message(who), &tag).is_ok()).count() > 0
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn message(who: &Who) -> Vec<u8> {
    format!("ordersync form {} {}", who.session, who.name).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::access::test::users;

    #[test]
    fn a_form_is_of_one_session_and_user() {
        let who = |session: &str, name: &str| Who { name: name.into(), role: Role::Viewer, session: session.into() };
        let users = users();
        let text = token(&who("1", "ada"), &users);
        assert!(is_of(&who("1", "ada"), &text, &users));
        for (other, text) in
            [(who("2", "ada"), text.as_str()), (who("1", "bob"), &text), (who("1", "ada"), ""), (who("1", "ada"), "zz")]
        {
            assert!(!is_of(&other, text, &users), "{other:?} {text}");
        }
    }
}
