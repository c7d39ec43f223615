//! Which exports are in an object of many, and where: in its metadata, so that asking for it is enough to know. Pure.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;

/// Metadata of every object of many orders: its members.
pub const PACK: &str = "ordersync-pack";
/// Characters of a member's digest: 60 bits, so that of a hundred members none is taken for another.
const DIGEST: usize = 10;
/// Characters of the length of a member's part: 24 bits.
const LENGTH: usize = 4;
/// Characters of a member.
pub(in crate::pipeline::transport::s3) const ENTRY: usize = DIGEST + LENGTH;
/// The longest part that a member can have, in bytes.
pub(super) const LONGEST: usize = (1 << 24) - 1;

/// The members of an object of many orders, in the order in which they stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members(Vec<Member>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    digest: String,
    bytes: usize,
}

/// What a member is found by, the same for every attempt at its export.
fn digest_of(export: &str) -> String {
    let digest = digest::digest(&digest::SHA256, export.as_bytes());
    let mut text = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..8]);
    text.truncate(DIGEST);
    text
}

impl Members {
    /// Reads the metadata; nothing for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() || !text.len().is_multiple_of(ENTRY) {
            return None;
        }
        text.as_bytes().chunks(ENTRY).map(Member::parse).collect::<Option<_>>().map(Self)
    }

    /// Adds an export whose part is so many bytes long, which are at most [`LONGEST`].
    pub(super) fn add(&mut self, export: &str, bytes: usize) {
        self.0.push(Member { digest: digest_of(export), bytes });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Which one an export is.
    pub(super) fn find(&self, export: &str) -> Option<usize> {
        let digest = digest_of(export);
        self.0.iter().position(|member| member.digest == digest)
    }

    /// Where a member's part is in a body of this length; nothing where the body is shorter than its parts.
    pub(super) fn range(&self, index: usize, body: usize) -> Option<Range<usize>> {
        let header = body.checked_sub(self.0.iter().map(|member| member.bytes).sum())?;
        let (before, after) = self.0.split_at_checked(index)?;
        let start = header + before.iter().map(|member| member.bytes).sum::<usize>();
        Some(start..start + after.first()?.bytes)
    }

    /// All but one.
    pub(super) fn without(mut self, index: usize) -> Self {
        if index < self.0.len() {
            self.0.remove(index);
        }
        self
    }
}

impl Member {
    fn parse(entry: &[u8]) -> Option<Self> {
        let (digest, length) = std::str::from_utf8(entry).ok()?.split_at_checked(DIGEST)?;
        let length: [u8; 3] = URL_SAFE_NO_PAD.decode(length).ok()?.try_into().ok()?;
        let [high, middle, low] = length.map(usize::from);
        Some(Self { digest: digest.to_owned(), bytes: high << 16 | middle << 8 | low })
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Member { digest, bytes } in &self.0 {
            let [.., high, middle, low] = bytes.to_be_bytes();
            write!(f, "{digest}{}", URL_SAFE_NO_PAD.encode([high, middle, low]))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(of: &[(&str, usize)]) -> Members {
        let mut members = Members::default();
        for (export, bytes) in of {
            members.add(export, *bytes);
        }
        members
    }

    #[test]
    fn members_are_written_as_objects_keep_them() {
        // Objects live longer than releases: what they say of themselves must not change.
        let members = members(&[("acme:1:erp", 0), ("acme:2:erp", LONGEST)]);
        assert_eq!(members.to_string(), "ddiUwnUp5uAAAAjygMMFYLO-____");
        assert_eq!(Members::parse(&members.to_string()), Some(members));
    }

    #[test]
    fn what_is_no_list_of_members_is_none() {
        for text in ["x", "ddiUwnUp5uAAA", "ddiUwnUp5uAAA!", "ddiUwnUp5u\u{e4}AA", "ddiUwnUp5uAAAA6"] {
            assert_eq!(Members::parse(text), None, "{text}");
        }
        assert_eq!(Members::parse(""), Some(Members::default()));
    }

    #[test]
    fn a_part_stands_behind_the_header_and_the_parts_before_it() {
        let members = members(&[("a", 3), ("b", 0), ("c", 4)]);
        assert_eq!(
            (members.range(0, 9), members.range(1, 9), members.range(2, 9)),
            (Some(2..5), Some(5..5), Some(5..9))
        );
        assert_eq!((members.range(3, 9), members.range(0, 6)), (None, None), "no such member; a body cut short");
        assert_eq!((members.find("c"), members.find("d")), (Some(2), None));
        assert_eq!(members.without(1).to_string(), self::members(&[("a", 3), ("c", 4)]).to_string());
    }

    proptest! {
        #[test]
        fn any_members_are_read_as_they_were_written(of in proptest::collection::vec(("\\PC{1,20}", 0..=LONGEST), 0..100)) {
            let of: Vec<_> = of.iter().map(|(export, bytes)| (export.as_str(), *bytes)).collect();
            let members = members(&of);
            prop_assert_eq!(members.to_string().len(), of.len() * ENTRY);
            prop_assert_eq!(Members::parse(&members.to_string()), Some(members));
        }
    }
}
