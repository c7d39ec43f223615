//! The checksums of S3, in the place of the crate of this name.
//!
//! That crate chooses its algorithm while it runs, from all there are, so a function that puts an object into S3
//! linked 650 KB of tables, hardly compressible, of which it used two or three. These are the three that S3 has, with
//! the part of the crate's interface that the SDK calls: a call that is not here does not compile.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use std::fmt;

use crc::{CRC_32_ISCSI, CRC_64_NVME, Crc};

static ISCSI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
static NVME: Crc<u64> = Crc::<u64>::new(&CRC_64_NVME);

/// The checksums that S3 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC32, what the SDK sends with every object.
    Crc32IsoHdlc,
    /// CRC32C.
    Crc32Iscsi,
    /// CRC64NVME, what S3 makes itself for an object that came with none.
    Crc64Nvme,
}

/// A checksum that is being made.
#[derive(Clone)]
pub struct Digest(State);

#[derive(Clone)]
enum State {
    IsoHdlc(crc32fast::Hasher),
    Iscsi(crc::Digest<'static, u32>),
    Nvme(crc::Digest<'static, u64>),
}

impl Digest {
    /// Of nothing yet.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::IsoHdlc(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => State::Iscsi(ISCSI.digest()),
            CrcAlgorithm::Crc64Nvme => State::Nvme(NVME.digest()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::IsoHdlc(digest) => digest.update(bytes),
            State::Iscsi(digest) => digest.update(bytes),
            State::Nvme(digest) => digest.update(bytes),
        }
    }

    /// The checksum; one of 32 bits stands in the lower half.
    pub fn finalize(self) -> u64 {
        match self.0 {
            State::IsoHdlc(digest) => digest.finalize().into(),
            State::Iscsi(digest) => digest.finalize().into(),
            State::Nvme(digest) => digest.finalize(),
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://reveng.sourceforge.io/crc-catalogue/all.htm>
    #[test]
    fn checksums_are_those_of_the_catalogue_however_the_bytes_come() {
        for (algorithm, expected) in [
            (CrcAlgorithm::Crc32IsoHdlc, 0xCBF4_3926),
            (CrcAlgorithm::Crc32Iscsi, 0xE306_9283),
            (CrcAlgorithm::Crc64Nvme, 0xAE8B_1486_0A79_9888),
        ] {
            for at in 0..10 {
                let (left, right) = b"123456789".split_at(at);
                let mut digest = Digest::new(algorithm);
                digest.update(left);
                digest.update(right);
                assert_eq!(digest.finalize(), expected, "{algorithm:?}");
            }
        }
    }
}
