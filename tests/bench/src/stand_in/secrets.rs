//! Secrets Manager: values by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::aws::{Answered, Refusal, json};

/// The secrets of a run.
#[derive(Debug, Default)]
pub struct Secrets(Mutex<BTreeMap<String, String>>);

impl Secrets {
    /// Puts a secret there.
    pub fn put(&self, name: &str, value: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn answer(&self, operation: &str, body: &Bytes) -> Answered {
        if operation != "GetSecretValue" {
            return Err(Refusal::invalid(format!("Secrets Manager has no {operation} here")));
        }
        let request: Value = serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))?;
        let name = request["SecretId"].as_str().unwrap_or_default();
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = secrets.get(name).ok_or_else(|| Refusal {
            code: "ResourceNotFoundException",
            message: format!("there is no secret {name:?}"),
            item: None,
            is_expected: false,
        })?;
        let answer = json!({
            "ARN": format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-a1b2c3"),
            "Name": name,
            "SecretString": value,
            "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": 1_700_000_000.0,
        });
        Ok(json(StatusCode::OK, &answer))
    }
}
