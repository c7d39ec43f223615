//! `ordersync hash-password`.

use std::io::{self, IsTerminal as _, Read as _};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Argon2, Params};
use clap::Args;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::output::Out;

const EXAMPLES: &str = "\
Examples:
  ordersync hash-password                                    # asks twice, and shows nothing of it
  pass show ordersync/ada | ordersync hash-password          # the first line of the input
  ordersync hash-password --json <password.txt | jq -r .password";

/// Fewer characters can be tried one after the other, by whoever gets hold of the hash.
const FEWEST: usize = 12;
/// The console reads no longer ones.
const MOST: usize = 200;
const SALT: usize = 16;

/// Make the hash of a password, for a user of the console
///
/// Asks for the password at a terminal, else takes the first line of the input. Prints the argon2id hash that the console's
/// secret has as `password`: each time another, as each has a salt of its own.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HashPassword {}

/// The hash, under the name that it has in the secret.
#[derive(Debug, Serialize)]
struct Made {
    password: String,
}

impl HashPassword {
    #[expect(clippy::unused_self, reason = "a command is called as the others are")]
    pub(crate) fn run(&self, out: Out) -> Result<Exit, Failure> {
        let password = if io::stdin().is_terminal() { asked()? } else { first_line(io::stdin().lock())? };
        let made = Made { password: hash(check(&password)?)? };
        out.result(&made, || made.password.clone());
        Ok(Exit::Done)
    }
}

/// Twice, as nobody sees what is typed.
fn asked() -> Result<Zeroizing<String>, Failure> {
    let ask = |prompt: &str| {
        let unheard = |error: io::Error| Failure::Wrong(format!("the password cannot be read: {error}"));
        rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(unheard)
    };
    let password = ask("Password: ")?;
    if *ask("Once more: ")? == *password {
        Ok(password)
    } else {
        Err(Failure::Usage("the two passwords differ".into()))
    }
}

/// The first line of the input, which may be its only one, without its end.
fn first_line(input: impl io::Read) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    let read = input.take(1024).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Wrong(format!("the password cannot be read: {error}")))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Failure::Usage("the password: expected UTF-8".into()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The password, if the console can take it.
fn check(password: &str) -> Result<&str, Failure> {
    let (characters, bytes) = (password.chars().count(), password.len());
    if characters < FEWEST {
        return Err(Failure::Usage(format!("the password: expected {FEWEST} characters or more, found {characters}")));
    }
    if bytes > MOST {
        return Err(Failure::Usage(format!("the password: expected {MOST} bytes at most, found {bytes}")));
    }
    Ok(password)
}

/// The hash as a PHC string, of the work that OWASP asks for: 19 MiB, twice, in one lane.
fn hash(password: &str) -> Result<String, Failure> {
    let mut salt = [0; SALT];
    let no_salt = |_| Failure::Wrong("the system has no random numbers".into());
    SystemRandom::new().fill(&mut salt).map_err(no_salt)?;
    let params = Params::new(19_456, 2, 1, None).map_err(|error| Failure::Wrong(error.to_string()))?;
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let made = argon2.hash_password_with_salt(password.as_bytes(), &salt);
    made.map(|hash| hash.to_string()).map_err(|error| Failure::Wrong(format!("no hash could be made: {error}")))
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone_and_never_the_same_twice() {
        let made = hash("correct horse battery staple").unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        let parsed = PasswordHash::new(&made).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse battery staple", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"correct horse battery stapler", &parsed).is_err());
        assert_ne!(hash("correct horse battery staple").unwrap(), made);
    }

    #[test]
    fn the_first_line_is_taken_whole_and_without_its_end() {
        for (input, line) in [
            ("one\n", "one"),
            ("one", "one"),
            ("one\r\ntwo", "one"),
            (" with spaces \n", " with spaces "),
            ("pässwörd", "pässwörd"),
            ("", ""),
        ] {
            assert_eq!(first_line(input.as_bytes()).unwrap().as_str(), line, "{input:?}");
        }
        assert_eq!(first_line(&b"\xff\xfe\n"[..]), Err(Failure::Usage("the password: expected UTF-8".into())));
    }

    #[test]
    fn a_password_that_is_too_short_or_too_long_is_refused_without_being_repeated() {
        for (password, fits) in [
            ("a".repeat(11), false),
            ("a".repeat(12), true),
            ("ä".repeat(12), true),
            ("a".repeat(200), true),
            ("a".repeat(201), false),
        ] {
            let checked = check(&password);
            assert_eq!(checked.is_ok(), fits, "{password}");
            assert!(checked.err().is_none_or(|failure| !failure.to_string().contains("aaa")));
        }
    }
}
