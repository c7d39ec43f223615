//! Taking one export out of an object of many, for erasure. Pure.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::members::Members;
use crate::pipeline::transport::gzip;

/// What is left of an object of many orders when one is taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: it was the only one.
    Nothing,
    /// The others.
    Others {
        /// Their bytes, compressed where the object was.
        body: Vec<u8>,
        /// The value of the metadata [`super::PACK`].
        members: String,
    },
}

/// Why nothing can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPack {
    /// The metadata is not as it was written.
    #[error("its metadata does not say which orders are in it")]
    Metadata,
    /// The body does not have the parts that the metadata names.
    #[error("its body does not have the parts that its metadata names")]
    Body,
}

/// Whether an export is in an object whose metadata [`super::PACK`] is this.
pub fn holds(members: &str, export: &str) -> bool {
    Members::parse(members).is_some_and(|members| members.find(export).is_some())
}

/// Takes an export, by its idempotency key, out of an object with these members; nothing where it is not in it.
pub fn cut(members: &str, body: &[u8], is_gzip: bool, export: &str) -> Result<Option<Rest>, BadPack> {
    let members = Members::parse(members).ok_or(BadPack::Metadata)?;
    let Some(index) = members.find(export) else { return Ok(None) };
    if members.len() == 1 {
        return Ok(Some(Rest::Nothing));
    }
    let mut plain = if is_gzip { gunzip(body)? } else { body.to_vec() };
    let range = members.range(index, plain.len()).ok_or(BadPack::Body)?;
    plain.drain(range);
    let body = if is_gzip { gzip(&plain).map_err(|_| BadPack::Body)? } else { plain };
    Ok(Some(Rest::Others { body, members: members.without(index).to_string() }))
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, BadPack> {
    let mut plain = Vec::new();
    GzDecoder::new(body).read_to_end(&mut plain).map_err(|_| BadPack::Body)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(of: &[(&str, usize)]) -> String {
        let mut members = Members::default();
        for (export, bytes) in of {
            members.add(export, *bytes);
        }
        members.to_string()
    }

    #[test]
    fn one_order_is_taken_out_and_the_others_stay_as_they_are() {
        let all = members(&[("a", 4), ("b", 5), ("c", 4)]);
        let body = b"no\n1;a\n22;b\n3;c\n";
        for (export, expected, left) in [
            ("a", "no\n22;b\n3;c\n", members(&[("b", 5), ("c", 4)])),
            ("b", "no\n1;a\n3;c\n", members(&[("a", 4), ("c", 4)])),
            ("c", "no\n1;a\n22;b\n", members(&[("a", 4), ("b", 5)])),
        ] {
            let rest = Rest::Others { body: expected.into(), members: left.clone() };
            assert_eq!(cut(&all, body, false, export), Ok(Some(rest)), "{export}");
            let Ok(Some(Rest::Others { body, members })) = cut(&all, &gzip(body).unwrap(), true, export) else {
                panic!("others")
            };
            assert_eq!((gunzip(&body).unwrap(), members), (expected.into(), left), "{export}, compressed");
        }
        assert!(holds(&all, "a") && !holds(&all, "d") && !holds("?", "a"));
    }

    #[test]
    fn every_order_can_be_taken_out_one_after_the_other() {
        let (mut all, mut body) = (members(&[("a", 2), ("b", 0), ("c", 2)]), b"a\nc\n".to_vec());
        for export in ["c", "a"] {
            let Ok(Some(Rest::Others { body: left, members })) = cut(&all, &body, false, export) else {
                panic!("others")
            };
            assert_eq!(cut(&members, &left, false, export), Ok(None), "it is not in it any more");
            (all, body) = (members, left);
        }
        assert_eq!(cut(&all, &body, false, "b"), Ok(Some(Rest::Nothing)));
    }

    #[test]
    fn an_object_that_is_not_as_it_was_written_is_left_alone() {
        let all = members(&[("a", 4), ("b", 5)]);
        for (members, body, is_gzip, expected) in [
            ("?", "1;a\n22;b\n", false, BadPack::Metadata),
            (all.as_str(), "1;a\n", false, BadPack::Body),
            (all.as_str(), "1;a\n22;b\n", true, BadPack::Body),
        ] {
            assert_eq!(cut(members, body.as_bytes(), is_gzip, "a"), Err(expected), "{members} {body}");
        }
    }
}
