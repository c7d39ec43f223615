//! What went to the destination.

use ordersync::aws;
use ordersync::config::Config;
use ordersync::ledger::Row;
use ordersync::pipeline::Export;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::payload::read;
use crate::{Actor, Admin, AdminError, Key, Text};

/// A larger document is not for people to look at.
const MOST_BYTES: i64 = 2 * 1024 * 1024;

/// Where a document is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// The object that was written: this is what the back office has.
    Object(String),
    /// It was made anew of the order as it was received, with the configuration as it is now: what a reset would
    /// send, and what was sent unless either has changed.
    RenderedAnew,
}

/// The document of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artefact {
    /// Where it is from.
    pub from: From,
    /// Its media type.
    pub media_type: String,
    /// What it says.
    pub document: Text,
}

impl Admin {
    /// The document of an export: the object where it went to S3, else made anew. Personal data is hidden unless it is
    /// revealed to somebody, which is noted first.
    ///
    /// # Errors
    /// There is no such export; it cannot be made anew, as its order or its pipeline is gone, or its template fails.
    pub async fn artefact(
        &self,
        config: Option<&Config>,
        key: &Key,
        reveal_to: Option<&Actor>,
    ) -> Result<Artefact, AdminError> {
        let row = self.row(key).await?;
        let found = if is_packed(config, &row) { None } else { self.object(&row).await? };
        let (from, media_type, text) = match found {
            Some(found) => found,
            None => self.rendered(config, &row).await?,
        };
        self.revealed(reveal_to, "reveal-artefact", key).await?;
        Ok(Artefact { from, media_type, document: Text::of(&text, reveal_to.is_some()) })
    }

    /// The object that an export was written to, where it is one of its own, of text, and can be read from here.
    async fn object(&self, row: &Row) -> Result<Option<(From, String, String)>, AdminError> {
        let Some((bucket, object)) = row.destination.as_deref().and_then(location) else { return Ok(None) };
        let answer = self.payloads.s3.get_object().bucket(bucket).key(object).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::info!(
                    reason = aws::reason(&failure),
                    "the document of {} cannot be read, it is made anew",
                    row.key.name()
                );
                return Ok(None);
            }
        };
        let is_plain = answer.content_encoding().is_none_or(str::is_empty);
        if !is_plain || answer.content_length().is_none_or(|length| length > MOST_BYTES) {
            return Ok(None);
        }
        let media_type = answer.content_type().unwrap_or("application/octet-stream").to_owned();
        let bytes = answer.body.collect().await.map_err(|error| AdminError::unavailable(error.to_string()))?;
        let text = String::from_utf8(bytes.to_vec()).ok();
        Ok(text.map(|text| (From::Object(format!("s3://{bucket}/{object}")), media_type, text)))
    }

    async fn rendered(&self, config: Option<&Config>, row: &Row) -> Result<(From, String, String), AdminError> {
        let config = config.ok_or_else(|| {
            AdminError::refused("the configuration is not at hand here, by which the document is made")
        })?;
        let raw = self.raw(row).await?;
        let order = read(config, &row.key.shop, &raw.body).map_err(AdminError::refused)?;
        let code = &row.key.pipeline;
        let pipeline = config.pipelines.iter().find(|pipeline| pipeline.code == *code);
        let pipeline = pipeline.ok_or_else(|| AdminError::refused(format!("no pipeline {code:?} is configured")))?;
        let export = Export {
            pipeline: code,
            order: &order,
            raw: &raw.body,
            headers: &raw.envelope.headers,
            idempotency_key: &row.key.idempotency_key(),
        };
        let document = pipeline.format.render(export).map_err(|failure| AdminError::refused(failure.message))?;
        let text = String::from_utf8_lossy(&document.body).into_owned();
        Ok((From::RenderedAnew, document.media_type, text))
    }
}

/// Whether it is in an object of many orders, of which the others are nobody's business here.
fn is_packed(config: Option<&Config>, row: &Row) -> bool {
    let pipelines = config.map(|config| &config.pipelines[..]).unwrap_or_default();
    let mut own = pipelines.iter().filter(|pipeline| pipeline.code == row.key.pipeline);
    row.pack.is_some() || own.any(|pipeline| pipeline.transport.packed().is_some())
}

/// Bucket and key of an object, as a row names it.
fn location(destination: &str) -> Option<(&str, &str)> {
    destination.strip_prefix("s3://")?.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_a_bucket_is_an_object() {
        assert_eq!(location("s3://b/a/1.json"), Some(("b", "a/1.json")));
        for other in ["https://erp.example.com/orders", "s3://b", "s3://b/", "s3:///a", ""] {
            assert_eq!(location(other), None, "{other}");
        }
    }
}
