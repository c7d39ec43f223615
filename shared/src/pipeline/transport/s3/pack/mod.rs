//! Objects that many orders are put into, so that they share the price of one request.
//!
//! Exports of one invocation's batch wait for each other ([`packs`], [`open`], [`work`]). Before an export is put into an
//! object its row names it, and the object names its members ([`members`]): whoever comes after a crash or a lost answer
//! asks the object ([`holds`]) and exports nothing twice. For erasure one is taken out of it again ([`cut`]).

mod cut;
mod holds;
mod members;
mod open;
mod packs;
pub(super) mod settings;
mod work;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::cut::{BadPack, Rest, cut, holds};
pub use self::members::PACK;
pub(crate) use self::packs::{Going, Place};
pub use self::packs::{Packs, Record};

use self::open::Contents;
use self::settings::Limits;
use super::{Stored, key};
use crate::clock;
use crate::order::Order;
use crate::pipeline::transport::{Clients, Receipt, Transport};
use crate::pipeline::{Document, Export, Failure};
use crate::template::{PackName, Template, TemplateError};

/// The S3 transport that puts many orders into one object.
#[derive(Debug)]
pub struct Packed {
    /// The stack's own where there is none.
    pub(super) bucket: Option<String>,
    pub(super) key: Template,
    pub(super) stored: Arc<Stored>,
    pub(super) limits: Limits,
}

/// Where a pack goes.
#[derive(Debug)]
struct Target {
    s3: aws_sdk_s3::Client,
    bucket: String,
    key: String,
    stored: Arc<Stored>,
}

impl Target {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    async fn put(&self, Contents { body, media_type, members }: Contents) -> Result<(), Failure> {
        let mark = (PACK, members.to_string());
        self.stored.put(&self.s3, &self.bucket, &self.key, mark, &media_type, body).await
    }
}

fn no_key(error: &TemplateError) -> Failure {
    Failure::permanent(format!("the object key cannot be made: {error}"))
}

impl Packed {
    /// What the keys of packs have in common that an order can go into.
    fn group(&self, order: &Order, pipeline: &str, any: &PackName) -> Result<String, Failure> {
        if !self.key.says_of_order() {
            return Ok(String::new());
        }
        self.key.render_for_pack(order, pipeline, any).map_err(|error| no_key(&error))
    }

    /// Where a pack of this name goes that begins with this order.
    fn target(&self, clients: &Clients, order: &Order, pipeline: &str, name: &PackName) -> Result<Target, Failure> {
        let bucket = self.bucket.clone().unwrap_or_else(|| clients.bucket.clone());
        let rendered = if self.key.says_of_order() {
            self.key.render_for_pack(order, pipeline, name)
        } else {
            self.key.render_for_any_order(pipeline, name)
        };
        let key = rendered.map_err(|error| no_key(&error))?;
        key::check_pack(&key, bucket == clients.bucket, &name.id).map_err(Failure::permanent)?;
        Ok(Target { s3: clients.s3.clone(), bucket, key, stored: Arc::clone(&self.stored) })
    }
}

impl Transport for Packed {
    /// Refused: an export without a [`Place`] has no row that names the object, and would not be safe to repeat.
    fn deliver<'a>(
        &'a self,
        _: &'a Clients,
        _: Export<'a>,
        _: &'a Document,
        _: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(async { Err(Failure::permanent("orders of this pipeline go into an object together")) })
    }

    /// The object's own name is made up when it is begun.
    fn target(&self, own: &str, export: Export<'_>) -> Result<String, Failure> {
        let any = PackName { id: "PACK".into(), time: clock::now() };
        let key = self.key.render_for_pack(export.order, export.pipeline, &any).map_err(|error| no_key(&error))?;
        Ok(format!("s3://{}/{key}", self.bucket.as_deref().unwrap_or(own)))
    }

    fn packed(&self) -> Option<&Packed> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
