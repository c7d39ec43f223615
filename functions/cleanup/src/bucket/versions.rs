//! Every version of objects, those too that a delete marker hides.

use super::{Bucket, Refused, Target, bytes, refused};

/// A version of an object, or a marker that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) target: Target,
    pub(crate) bytes: u64,
    pub(crate) is_marker: bool,
    /// Whether it is what the object is now.
    pub(crate) is_latest: bool,
}

/// Which keys are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// All that begin so.
    Prefix,
    /// This one. Keys are listed in order, so that it comes before those that begin like it.
    Key,
}

impl Bucket {
    /// Every version of the objects whose keys begin so.
    pub(crate) async fn versions_under(&self, prefix: &str) -> Result<Vec<Version>, Refused> {
        self.versions(prefix, Wanted::Prefix).await
    }

    /// Every version of one object.
    pub(crate) async fn versions_of(&self, key: &str) -> Result<Vec<Version>, Refused> {
        self.versions(key, Wanted::Key).await
    }

    async fn versions(&self, prefix: &str, wanted: Wanted) -> Result<Vec<Version>, Refused> {
        let mut found = Vec::new();
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let page = self.s3.list_object_versions().bucket(&self.name).prefix(prefix);
            let page = page.set_key_marker(key_marker).set_version_id_marker(version_marker).send().await;
            let page = page.map_err(|failure| refused(&failure))?;
            let versions =
                page.versions().iter().map(|one| (one.key(), one.version_id(), one.size(), false, one.is_latest()));
            let markers = page.delete_markers().iter();
            let markers = markers.map(|one| (one.key(), one.version_id(), None, true, one.is_latest()));
            let mut is_past = false;
            for (key, version, size, is_marker, is_latest) in versions.chain(markers) {
                let key = key.unwrap_or_default();
                if wanted == Wanted::Key && key != prefix {
                    is_past = true;
                    continue;
                }
                // An object from before versioning has a version called "null".
                let version = Some(version.unwrap_or("null").to_owned());
                let target = Target { key: key.to_owned(), version };
                let is_latest = is_latest.unwrap_or(false);
                found.push(Version { target, bytes: bytes(size), is_marker, is_latest });
            }
            key_marker = page.next_key_marker;
            version_marker = page.next_version_id_marker;
            if is_past || !page.is_truncated.unwrap_or(false) || key_marker.is_none() {
                return Ok(found);
            }
        }
    }
}
