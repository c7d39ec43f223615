//! How often one may try to sign in. Counted in the ledger's table, as no instance of the function knows of the others.

use std::time::Duration;

use jiff::Timestamp;
use ordersync::ledger::{Ledger, LedgerError};
use ring::digest;

/// For how long tries are counted together.
pub(crate) const WINDOW: Duration = Duration::from_mins(15);
/// Tries for one user from one address.
const OF_BOTH: u64 = 5;
/// Tries from one address.
const OF_ADDRESS: u64 = 30;
/// Tries for one user, from wherever. High, as anybody can use these up for somebody else.
const OF_USER: u64 = 100;

/// One thing that tries are counted by, and how many there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limit {
    name: String,
    most: u64,
}

/// A try that counts, unless it succeeds.
#[derive(Debug)]
pub(crate) struct Try<'l> {
    ledger: &'l Ledger,
    limits: [Limit; 3],
    at: Timestamp,
}

impl<'l> Try<'l> {
    /// Counts a try; nothing where there were too many. Before the password is looked at, so that those at the same time
    /// count too.
    pub(crate) async fn begin(
        ledger: &'l Ledger,
        user: &str,
        address: &str,
        at: Timestamp,
    ) -> Result<Option<Self>, LedgerError> {
        let limits = limits(user, address);
        for limit in &limits {
            if ledger.count_by(&limit.name, 1, WINDOW, at).await? > i64::try_from(limit.most).unwrap_or(i64::MAX) {
                return Ok(None);
            }
        }
        Ok(Some(Self { ledger, limits, at }))
    }

    /// It succeeded, so it does not count.
    pub(crate) async fn succeeded(self) -> Result<(), LedgerError> {
        for limit in &self.limits {
            self.ledger.count_by(&limit.name, -1, WINDOW, self.at).await?;
        }
        Ok(())
    }
}

/// The strictest first. Names and addresses are personal data, and may be of any length: the table has digests.
fn limits(user: &str, address: &str) -> [Limit; 3] {
    let limit = |kind: &str, text: &str, most| {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        Limit { name: format!("sign-in-{kind}-{}", hex::encode(&digest.as_ref()[..16])), most }
    };
    [
        limit("both", &format!("{address} {user}"), OF_BOTH),
        limit("address", address, OF_ADDRESS),
        limit("user", user, OF_USER),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tries_are_counted_by_tells_nothing_of_the_user() {
        let limits = limits("ada@acme.example", "192.0.2.7");
        assert!(limits.iter().all(|limit| !limit.name.contains("ada") && !limit.name.contains("192")));
        assert!(limits.windows(2).all(|pair| pair[0].most < pair[1].most && pair[0].name != pair[1].name));
        assert_ne!(super::limits("ada", "192.0.2.7")[2], super::limits("bob", "192.0.2.7")[2]);
        assert_eq!(super::limits("ada", "192.0.2.7")[1], super::limits("bob", "192.0.2.7")[1]);
    }
}
