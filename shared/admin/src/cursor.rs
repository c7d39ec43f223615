//! Where a list goes on: the place of the last export that was looked at, in a form that is none of anybody's business.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AdminError, Key};

/// A place in the order of lists: the newest change first, and of those at the same time by their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    #[serde(rename = "t")]
    pub(crate) at: Timestamp,
    #[serde(rename = "k")]
    pub(crate) key: Key,
}

impl Ord for Place {
    /// Greater is further down the list.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at).then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    pub(crate) fn to_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(crate) fn from_cursor(cursor: &str) -> Result<Self, AdminError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        place.ok_or_else(|| AdminError::not_found("cursor: expected one that a list has returned"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn place(second: i64, order: &str) -> Place {
        let key = Key { shop: "acme".into(), order: order.into(), pipeline: "erp".into() };
        Place { at: Timestamp::from_second(second).unwrap(), key }
    }

    #[test]
    fn a_place_survives_its_cursor_and_nothing_else_is_one() {
        let one = place(1_800_000_000, "9007/ä#1");
        assert_eq!(Place::from_cursor(&one.to_cursor()), Ok(one));
        for wrong in ["", "x", "e30", "🦀", "bm90IGpzb24"] {
            assert_eq!(Place::from_cursor(wrong).map_err(|error| error.kind), Err(Kind::NotFound), "{wrong}");
        }
    }

    #[test]
    fn the_newest_come_first_and_of_one_time_the_keys_decide() {
        let mut places = [place(1, "b"), place(3, "a"), place(1, "a"), place(2, "c")];
        places.sort();
        assert_eq!(places, [place(3, "a"), place(2, "c"), place(1, "a"), place(1, "b")]);
    }
}
