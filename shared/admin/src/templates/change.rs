//! Changing a template: only where the configuration is in S3, only to one that compiles and renders, and only from the
//! text that was looked at.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use jiff::Timestamp;
use ordersync::aws;
use ordersync::config::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sample;
use crate::{Actor, Admin, AdminError};

/// A larger file is a mistake; the functions do not read it either.
const MOST_BYTES: usize = 1024 * 1024;

/// A template that was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    /// What tells this text from a later one.
    pub tag: Option<String>,
    /// Its version in the bucket, where that keeps versions.
    pub version: Option<String>,
}

/// A version of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionView {
    /// The bucket's name of it.
    pub version: String,
    /// Since when it was live.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<Timestamp>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it is live.
    pub is_live: bool,
}

impl Admin {
    /// Saves a template that was made from the text with `seen_tag`, if it compiles and makes a document of the sample.
    /// Functions use it within a minute, at once for exports that are reset or exported now.
    ///
    /// # Errors
    /// The configuration is not in S3; the template is none that it names; it is not right; somebody else has saved it
    /// meanwhile; S3 does not answer.
    pub async fn save_template(
        &self,
        actor: &Actor,
        name: &str,
        text: &str,
        seen_tag: Option<&str>,
        sample: &Sample,
    ) -> Result<Saved, AdminError> {
        let saved = self.save(name, text, seen_tag, sample).await;
        let words = saved.as_ref().ok().and_then(|saved| saved.version.clone());
        self.noted(actor, "save-template", name, saved, &format!("version {}", words.as_deref().unwrap_or("-"))).await
    }

    /// Makes an earlier version of a template live again, as a new one, under the same conditions.
    ///
    /// # Errors
    /// As those of [`Admin::save_template`]; there is no such version.
    pub async fn roll_back_template(
        &self,
        actor: &Actor,
        name: &str,
        version: &str,
        seen_tag: Option<&str>,
        sample: &Sample,
    ) -> Result<Saved, AdminError> {
        let saved = match self.template_version(name, version).await {
            Ok(text) => self.save(name, &text, seen_tag, sample).await,
            Err(error) => Err(error),
        };
        self.noted(actor, "roll-back-template", name, saved, &format!("to version {version}")).await
    }

    /// The versions of a template, newest first, as far as the bucket keeps them.
    ///
    /// # Errors
    /// The configuration is not in S3, or S3 does not answer.
    pub async fn template_versions(&self, name: &str) -> Result<Vec<VersionView>, AdminError> {
        let (bucket, key) = self.object_of(name).await?;
        let page = self.payloads.s3.list_object_versions().bucket(bucket).prefix(&key).send().await;
        let page = page.map_err(|failure| AdminError::unavailable(aws::reason(&failure)))?;
        let versions = page.versions().iter().filter(|version| version.key() == Some(key.as_str()));
        let view = |version: &aws_sdk_s3::types::ObjectVersion| VersionView {
            version: version.version_id().unwrap_or_default().to_owned(),
            at: version.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok()),
            bytes: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            is_live: version.is_latest() == Some(true),
        };
        Ok(versions.map(view).collect())
    }

    /// The text of a version of a template.
    ///
    /// # Errors
    /// There is no such version; the configuration is not in S3, or S3 does not answer.
    pub async fn template_version(&self, name: &str, version: &str) -> Result<String, AdminError> {
        let (bucket, key) = self.object_of(name).await?;
        let answer = self.payloads.s3.get_object().bucket(bucket).key(key).version_id(version).send().await;
        let answer = answer.map_err(|failure| {
            let status = failure.raw_response().map(|response| response.status().as_u16());
            match status {
                Some(400 | 404) => AdminError::not_found(format!("the template {name:?} has no version {version:?}")),
                _ => AdminError::unavailable(aws::reason(&failure)),
            }
        })?;
        let bytes = answer.body.collect().await.map_err(|error| AdminError::unavailable(error.to_string()))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| AdminError::invalid("the version is not UTF-8"))
    }

    async fn save(&self, name: &str, text: &str, seen_tag: Option<&str>, sample: &Sample) -> Result<Saved, AdminError> {
        let (bucket, key) = self.object_of(name).await?;
        if text.len() > MOST_BYTES {
            return Err(AdminError::invalid(format!("template: expected at most {MOST_BYTES} bytes")));
        }
        let check = self.check_template(name, text, sample, None).await?;
        if let Some(problem) = check.problems.first() {
            let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            return Err(AdminError::invalid(format!("{name}{line}: {}", problem.message)));
        }
        let put = self.payloads.s3.put_object().bucket(bucket).key(key).body(text.as_bytes().to_vec().into());
        let put = match seen_tag {
            Some(tag) => put.if_match(tag),
            None => put.if_none_match("*"),
        };
        let answer = put.content_type("text/plain; charset=utf-8").send().await.map_err(|failure| unsaved(&failure))?;
        Ok(Saved { tag: answer.e_tag().map(ToOwned::to_owned), version: answer.version_id().map(ToOwned::to_owned) })
    }

    /// Bucket and key of a template that the configuration names.
    async fn object_of(&self, name: &str) -> Result<(&str, String), AdminError> {
        let Source::Bucket { bucket, prefix } = self.source()? else {
            return Err(AdminError::refused(
                "the configuration is bundled with the functions: change it there and deploy, or put it into S3 (ConfigUri)",
            ));
        };
        let is_named = self.templates().await?.iter().any(|template| template.name == name);
        if !is_named {
            return Err(AdminError::not_found(format!("the configuration names no template {name:?}")));
        }
        Ok((bucket.name(), format!("{prefix}{name}")))
    }
}

fn unsaved(failure: &SdkError<PutObjectError>) -> AdminError {
    match failure.raw_response().map(|response| response.status().as_u16()) {
        Some(409 | 412) => AdminError::conflict("the template was saved by somebody else meanwhile: look at it again"),
        _ => AdminError::unavailable(aws::reason(failure)),
    }
}
