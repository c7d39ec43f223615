//! Taking one export out of an object of many orders.

use std::collections::HashMap;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use ordersync::pipeline::transport::s3::pack::{PACK, Rest, cut};

use super::{Bucket, Refused, refused};

/// How often an object is read and written again that somebody else changes at the same time.
const TRIES: u32 = 5;

/// An object of many orders as it was read.
struct Pack {
    body: Vec<u8>,
    metadata: HashMap<String, String>,
    etag: Option<String>,
    content_type: Option<String>,
    encoding: Option<String>,
}

impl Bucket {
    /// Writes an object of many orders anew without an export. Whether it did: not where the export is not in it, nor
    /// where it is alone in it, so that the object may go as a whole.
    pub(crate) async fn take_out(&self, key: &str, export: &str) -> Result<bool, Refused> {
        for _ in 0..TRIES {
            let Some(pack) = self.read_pack(key).await? else { return Ok(false) };
            let Some(members) = pack.metadata.get(PACK) else { return Ok(false) };
            let is_gzip = pack.encoding.as_deref() == Some("gzip");
            let rest = cut(members, &pack.body, is_gzip, export).map_err(|bad| Refused(bad.to_string()))?;
            match rest {
                None | Some(Rest::Nothing) => return Ok(false),
                Some(Rest::Others { body, members }) => {
                    if self.replace(key, pack, body, members).await? {
                        return Ok(true);
                    }
                }
            }
        }
        Err(Refused("the object keeps changing".into()))
    }

    async fn read_pack(&self, key: &str) -> Result<Option<Pack>, Refused> {
        let object = match self.s3.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => object,
            Err(failure) if failure.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            Err(failure) => return Err(refused(&failure)),
        };
        let body = object.body.collect().await.map_err(|_| Refused("the answer broke off".into()))?;
        Ok(Some(Pack {
            body: body.to_vec(),
            metadata: object.metadata.unwrap_or_default(),
            etag: object.e_tag,
            content_type: object.content_type,
            encoding: object.content_encoding,
        }))
    }

    /// Whether the object was as it was read, and is replaced.
    async fn replace(&self, key: &str, pack: Pack, body: Vec<u8>, members: String) -> Result<bool, Refused> {
        let mut metadata = pack.metadata;
        metadata.insert(PACK.to_owned(), members);
        let put = self.s3.put_object().bucket(&self.name).key(key).set_if_match(pack.etag).body(body.into());
        let put = put.set_metadata(Some(metadata)).set_content_type(pack.content_type);
        match put.set_content_encoding(pack.encoding).send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(failure)) if matches!(failure.raw().status().as_u16(), 404 | 409 | 412) => {
                Ok(false)
            }
            Err(failure) => Err(refused(&failure)),
        }
    }
}
