//! What the bucket has of an order.

use std::collections::BTreeSet;

use ordersync::ledger::{Row, stored_payloads};
use ordersync::pipeline::transport::s3::pack::holds;

use super::Exports;
use crate::bucket::{Refused, Target};
use crate::handler::Cleanup;
use crate::plan::{own_key, payload_key};

/// What the bucket has of an order.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The versions that go.
    pub(super) versions: BTreeSet<Target>,
    /// Objects of many orders with one of its exports, which is taken out of them first.
    pub(super) packs: BTreeSet<(String, String)>,
}

impl Cleanup {
    /// Every version of what the bucket has of an order, but for what an export that is being tried needs.
    pub(super) async fn objects_of(&self, shop: &str, order_id: &str, exports: &Exports) -> Result<Found, Refused> {
        let versions = self.payloads_of(shop, order_id, exports).await?;
        let mut found = Found { versions, ..Found::default() };
        let busy_inbound: BTreeSet<&str> = exports.busy.iter().filter_map(|row| row.inbound.as_deref()).collect();
        let inbound: BTreeSet<&str> = exports.open.iter().filter_map(|row| row.inbound.as_deref()).collect();
        for key in inbound.difference(&busy_inbound) {
            found.versions.extend(self.bucket.versions_of(key).await?.into_iter().map(|version| version.target));
        }
        for row in &exports.open {
            // Also the object that an attempt may have put it into which left no word.
            let places = [row.destination.as_deref(), row.pack.as_deref()];
            let keys = places.into_iter().flatten().filter_map(|place| own_key(place, self.bucket.name()));
            for key in keys.collect::<BTreeSet<_>>() {
                self.documents_of(row, key, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Every version of an order's payloads.
    pub(super) async fn payloads_of(
        &self,
        shop: &str,
        order_id: &str,
        exports: &Exports,
    ) -> Result<BTreeSet<Target>, Refused> {
        let busy: BTreeSet<&str> = exports.busy.iter().filter_map(payload_key).collect();
        let versions = self.bucket.versions_under(&stored_payloads(shop, order_id)).await?;
        let targets = versions.into_iter().map(|version| version.target);
        Ok(targets.filter(|target| !busy.contains(target.key.as_str())).collect())
    }

    /// The versions of an exported object that have this export: under a key that does not depend on the order alone,
    /// others have written too. With them go the markers that hide them, unless one hides another export's version.
    async fn documents_of(&self, row: &Row, key: &str, found: &mut Found) -> Result<(), Refused> {
        let (markers, versions): (Vec<_>, Vec<_>) =
            self.bucket.versions_of(key).await?.into_iter().partition(|version| version.is_marker);
        let own = row.key.idempotency_key();
        let mut is_all_own = true;
        for version in versions {
            let Some(head) = self.bucket.head(key, version.target.version.as_deref()).await? else { continue };
            if head.written_by.as_ref() == Some(&own) {
                found.versions.insert(version.target);
            } else if head.members.is_some_and(|members| holds(&members, &own)) {
                is_all_own = false;
                if version.is_latest {
                    found.packs.insert((key.to_owned(), own.clone()));
                }
                found.versions.insert(version.target);
            } else {
                is_all_own = false;
            }
        }
        if is_all_own {
            found.versions.extend(markers.into_iter().map(|marker| marker.target));
        }
        Ok(())
    }
}
