//! Signed statements of who somebody is, for a while: the session cookie of browsers, and the token of programs.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use ordersync::clock;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::Who;
use super::users::{User, Users};

/// How long a session lasts without a request.
pub(crate) const IDLE: Duration = Duration::from_mins(30);
/// How long one lasts at most, however busy.
pub(crate) const LONGEST: Duration = Duration::from_hours(12);

/// What a token is for: one of a kind is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of a browser, in a cookie; renewed with use.
    Session,
    /// Of a program, in the header `Authorization`; ends as it was made.
    Api,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Api => "api",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    #[serde(rename = "u")]
    user: String,
    /// Of the user's password, see [`User::generation`].
    #[serde(rename = "g")]
    generation: String,
    #[serde(rename = "n")]
    nonce: String,
    /// When the user signed in, in seconds since 1970.
    #[serde(rename = "s")]
    since: i64,
    /// When it ends.
    #[serde(rename = "e")]
    ends: i64,
}

impl Token {
    /// One for a user who has just signed in.
    pub(crate) fn begin(user: &User, now: Timestamp) -> Option<Self> {
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let (user, generation) = (user.name.clone(), user.generation());
        Some(Self { user, generation, nonce: hex::encode(nonce), since: now.as_second(), ends: ends(now, now) })
    }

    /// The same for longer, once half of its time is over; nothing before, or where the longest is reached.
    pub(crate) fn renewed(&self, now: Timestamp) -> Option<Self> {
        let since = Timestamp::from_second(self.since).ok()?;
        let later = ends(since, now);
        let half = i64::try_from(IDLE.as_secs() / 2).unwrap_or(i64::MAX);
        (later - self.ends >= half).then(|| Self { ends: later, ..self.clone() })
    }

    /// When it ends.
    pub(crate) fn ends(&self) -> Timestamp {
        Timestamp::from_second(self.ends).unwrap_or(Timestamp::MIN)
    }

    /// As it is sent: what it says, and the signature.
    pub(crate) fn sign(&self, kind: Kind, users: &Users) -> Option<String> {
        let said = BASE64.encode(serde_json::to_vec(self).ok()?);
        let tag = hmac::sign(&key(users.keys().next()?), &message(kind, &said));
        Some(format!("{said}.{}", BASE64.encode(tag)))
    }

    /// What a token says that is signed by one of the keys and has not ended.
    pub(crate) fn verify(text: &str, kind: Kind, users: &Users, now: Timestamp) -> Option<Self> {
        let (said, tag) = text.split_once('.')?;
        let tag = BASE64.decode(tag).ok()?;
        let message = message(kind, said);
        // All of them are tried, whichever it was.
        let verified = users.keys().filter(|bytes| hmac::verify(&key(bytes), &message, &tag).is_ok()).count();
        let token: Self = serde_json::from_slice(&BASE64.decode(said).ok()?).ok()?;
        (verified > 0 && token.ends() > now).then_some(token)
    }

    /// Who that is now, if the user is still there and has the password of then.
    pub(crate) fn who(&self, users: &Users) -> Option<Who> {
        let user = users.named(&self.user).filter(|user| user.generation() == self.generation)?;
        Some(Who { name: user.name.clone(), role: user.role, session: self.nonce.clone() })
    }
}

fn ends(since: Timestamp, now: Timestamp) -> i64 {
    clock::later(now, IDLE).min(clock::later(since, LONGEST)).as_second()
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn message(kind: Kind, said: &str) -> Vec<u8> {
    format!("ordersync {} {said}", kind.name()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::access::test::{SECRET, at, users};

    fn token(now: Timestamp) -> Token {
        Token::begin(users().named("ada").unwrap(), now).unwrap()
    }

    #[test]
    fn a_token_says_who_it_is_until_it_ends() {
        let (users, now) = (users(), at("2026-03-01T12:00:00Z"));
        let text = token(now).sign(Kind::Session, &users).unwrap();
        let read =
            |later: u64| Token::verify(&text, Kind::Session, &users, clock::later(now, Duration::from_secs(later)));
        let who = read(1799).and_then(|token| token.who(&users)).unwrap();
        assert_eq!((who.name.as_str(), who.role), ("ada", Role::Operator));
        assert_eq!(read(1800), None);
    }

    #[test]
    fn what_is_changed_or_of_another_kind_is_no_token() {
        let (users, now) = (users(), at("2026-03-01T12:00:00Z"));
        let text = token(now).sign(Kind::Session, &users).unwrap();
        let (said, tag) = text.split_once('.').unwrap();
        let other = Token { user: "bob".into(), ..token(now) };
        let forged = BASE64.encode(serde_json::to_vec(&other).unwrap());
        for bad in
            [format!("{forged}.{tag}"), format!("{said}."), said.to_owned(), String::new(), format!("{said}.{tag}x")]
        {
            assert_eq!(Token::verify(&bad, Kind::Session, &users, now), None, "{bad}");
        }
        assert_eq!(Token::verify(&text, Kind::Api, &users, now), None);
        let others = Users::from_json(&SECRET.replace("00000000", "11111111")).unwrap();
        assert_eq!(Token::verify(&text, Kind::Session, &others, now), None);
    }

    #[test]
    fn an_older_key_verifies_and_the_first_signs() {
        let now = at("2026-03-01T12:00:00Z");
        let old = token(now).sign(Kind::Api, &users()).unwrap();
        let both = Users::from_json(
            &SECRET.replace(r#""signing_keys":["#, &format!(r#""signing_keys":["{}","#, "n".repeat(40))),
        )
        .unwrap();
        assert!(Token::verify(&old, Kind::Api, &both, now).is_some());
        let new = token(now).sign(Kind::Api, &both).unwrap();
        assert_eq!(Token::verify(&new, Kind::Api, &users(), now), None);
    }

    #[test]
    fn a_user_who_is_gone_or_has_another_password_is_nobody() {
        let token = token(at("2026-03-01T12:00:00Z"));
        let gone = Users::from_json(&SECRET.replace("ada", "eve")).unwrap();
        assert_eq!(token.who(&gone), None);
        let changed = Token { generation: "0".into(), ..token };
        assert_eq!(changed.who(&users()), None);
    }

    #[test]
    fn a_session_is_renewed_with_use_but_not_for_ever() {
        let began = at("2026-03-01T12:00:00Z");
        let minutes = |minutes: u64| clock::later(began, Duration::from_mins(minutes));
        let first = token(began);
        assert_eq!(first.renewed(minutes(14)), None);
        assert_eq!(first.renewed(minutes(15)).map(|token| token.ends()), Some(minutes(45)));
        let mut last = first;
        for minute in 0..800 {
            last = last.renewed(minutes(minute)).unwrap_or(last);
        }
        assert_eq!(last.ends(), minutes(12 * 60));
    }
}
