//! Calls to AWS, signed by hand: Signature Version 4.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, request};
use http_body_util::Full;
use ring::{digest, hmac};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::environment::{now, required, variable};
use crate::http1::{self, Host};

/// Roots that AWS endpoints chain to, those that ordersync trusts.
const AMAZON_ROOTS: &[u8] = include_bytes!("../../../../shared/src/aws/roots.pem");

/// Who calls, and where to.
pub(crate) struct Account {
    region: String,
    access_key: String,
    secret_key: String,
    token: String,
    endpoint: Option<String>,
    /// How its endpoints are trusted.
    pub(crate) tls: Arc<ClientConfig>,
    hosts: RefCell<Vec<Rc<Host>>>,
}

impl Account {
    /// As a function's environment names it.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let roots = http1::from_pem(AMAZON_ROOTS)?;
        Ok(Self {
            region: required("AWS_REGION")?,
            access_key: required("AWS_ACCESS_KEY_ID")?,
            secret_key: required("AWS_SECRET_ACCESS_KEY")?,
            token: required("AWS_SESSION_TOKEN")?,
            endpoint: variable("AWS_ENDPOINT_URL"),
            tls: http1::tls(variable("AWS_CA_BUNDLE").as_deref(), || roots)?,
            hosts: RefCell::default(),
        })
    }

    /// The service of a name, with a connection to it.
    pub(crate) async fn service(self: &Rc<Self>, name: &'static str) -> Result<Service, Error> {
        let url = self.endpoint.clone().unwrap_or_else(|| format!("https://{name}.{}.amazonaws.com", self.region));
        let host = Host::of(&url, &self.tls)?;
        let known = self.hosts.borrow().iter().find(|known| known.authority == host.authority).cloned();
        let host = if let Some(known) = known {
            known
        } else {
            host.connect().await?;
            let host = Rc::new(host);
            self.hosts.borrow_mut().push(Rc::clone(&host));
            host
        };
        Ok(Service { name, account: Rc::clone(self), host, key: RefCell::default() })
    }

    /// A secret's text.
    pub(crate) async fn secret(self: &Rc<Self>, name: &str) -> Result<String, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct GetSecretValue<'a> {
            secret_id: &'a str,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Value {
            secret_string: String,
        }
        let secrets = self.service("secretsmanager").await?;
        let answer = secrets.call("secretsmanager.GetSecretValue", &GetSecretValue { secret_id: name }).await?;
        if !answer.status().is_success() {
            return Err(Error::new("Secrets Manager", answer.status()));
        }
        let value: Value = serde_json::from_slice(answer.body()).map_err(Error::of("Secrets Manager"))?;
        Ok(value.secret_string.trim().to_owned())
    }
}

/// One service of an account.
pub(crate) struct Service {
    name: &'static str,
    account: Rc<Account>,
    host: Rc<Host>,
    /// The day's signing key.
    key: RefCell<Option<(String, hmac::Key)>>,
}

impl Service {
    /// An operation of the JSON protocols.
    pub(crate) async fn call(&self, operation: &str, input: &impl Serialize) -> Result<Response<Bytes>, Error> {
        let body = serde_json::to_vec(input).map_err(Error::of(self.name))?;
        let request = self.signed(Method::POST, "/", &sha256(&body), ("x-amz-target", operation));
        let is_newer = self.name == "secretsmanager";
        let media_type = if is_newer { "application/x-amz-json-1.1" } else { "application/x-amz-json-1.0" };
        self.send(request, media_type, body).await
    }

    /// Puts an object at a path.
    pub(crate) async fn put(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Response<Bytes>, Error> {
        let hash = sha256(&body);
        let request = self.signed(Method::PUT, path, &hash, ("x-amz-content-sha256", &hash));
        self.send(request, media_type, body).await
    }

    async fn send(&self, request: request::Builder, media_type: &str, body: Vec<u8>) -> Result<Response<Bytes>, Error> {
        let request = request.header("content-type", media_type).body(Full::new(body.into()));
        self.host.send(request.map_err(Error::of(self.name))?).await
    }

    /// A request whose host, time, token and one more header are signed, with the body's digest.
    fn signed(&self, method: Method, path: &str, hash: &str, header: (&str, &str)) -> request::Builder {
        let time = now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = time.get(..8).unwrap_or_default();
        let Account { region, access_key, token, .. } = &*self.account;
        let mut headers = [
            ("host", self.host.authority.as_str()),
            ("x-amz-date", time.as_str()),
            ("x-amz-security-token", token.as_str()),
            header,
        ];
        headers.sort_unstable();
        let names = headers.map(|(name, _)| name).join(";");
        let lines = headers.map(|(name, value)| [name, ":", value, "\n"].concat()).concat();
        let canonical = format!("{method}\n{path}\n\n{lines}\n{names}\n{hash}");
        let scope = format!("{day}/{region}/{}/aws4_request", self.name);
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let signature = hex::encode(hmac::sign(&self.key(day), to_sign.as_bytes()));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}");
        let request = Request::builder().method(method).uri(path).header("authorization", authorization);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    fn key(&self, day: &str) -> hmac::Key {
        if let Some((of, key)) = &*self.key.borrow()
            && of == day
        {
            return key.clone();
        }
        let secret = format!("AWS4{}", self.account.secret_key).into_bytes();
        let parts = [day, &self.account.region, self.name, "aws4_request"];
        let key = parts.iter().fold(secret, |key, part| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
        });
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        *self.key.borrow_mut() = Some((day.to_owned(), key.clone()));
        key
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
