//! The settings of the HTTP transport.

use std::time::Duration;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use toml::de::DeValue;
use url::Url;

use super::auth::Auth;
use super::oauth2::{ClientAuth, OAuth2, Settings};
use super::{fields, signature};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::transport::Transport;
use crate::pipeline::transport::egress::Egress;

pub(crate) const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

const METHODS: [(&str, &Method); 3] = [("POST", &Method::POST), ("PUT", &Method::PUT), ("PATCH", &Method::PATCH)];

/// The HTTP transport.
#[derive(Debug)]
pub(in crate::pipeline::transport) struct Http {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) auth: Option<Auth>,
    pub(super) timeout: Duration,
    /// Names of the secrets that sign; each gives one signature.
    pub(super) signing_secrets: Vec<String>,
    pub(super) gzip: bool,
}

/// Reads the settings; the transport is only there when nothing was wrong with them.
pub(in crate::pipeline::transport) fn read(table: Table<'_>, egress: &Egress) -> Option<Box<dyn Transport>> {
    read_http(table, egress).map(|http| Box::new(http) as Box<dyn Transport>)
}

fn read_http(table: Table<'_>, egress: &Egress) -> Option<Http> {
    let url = url(&table, "url", egress);
    let method = table.read("method", value::one_of(&METHODS)).unwrap_or(&Method::POST).clone();
    let headers = table.get("headers").map(|node| headers(&node)).unwrap_or_default();
    let auth = table.get("auth").and_then(|node| auth(&node, egress));
    let timeout = table.read("timeout", timeout).unwrap_or(USUAL_TIMEOUT);
    let signing_secrets = table.list("signing_secret", value::text);
    let gzip = table.read("gzip", value::boolean).unwrap_or(false);
    table.finish();
    Some(Http { url: url?, method, headers, auth, timeout, signing_secrets, gzip })
}

/// A URL that the egress rules let us call.
pub(crate) fn url(table: &Table<'_>, key: &'static str, egress: &Egress) -> Option<Url> {
    let node = table.required(key)?;
    let url = node.parse(value::url)?;
    egress.check(&url).map_err(|refused| node.problem(refused.to_string())).ok()?;
    Some(url)
}

/// How long a request may take.
pub(crate) fn timeout(value: &DeValue<'_>) -> Result<Duration, String> {
    let timeout = value::duration(LONGEST_TIMEOUT)(value).ok().filter(|timeout| *timeout >= SHORTEST_TIMEOUT);
    timeout.ok_or_else(|| "a length of time from \"1s\" to \"60s\"".into())
}

fn headers(node: &Node<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let entries = node.table().map(|table| table.entries()).unwrap_or_default();
    entries.iter().filter_map(|(name, node)| Some((field_name(name, node)?, field_value(node)?))).collect()
}

fn field_name(name: &str, node: &Node<'_>) -> Option<HeaderName> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        node.problem("this is no name of a header");
        return None;
    };
    if fields::is_ours(&name) || [signature::ID, signature::TIMESTAMP, signature::SIGNATURE].contains(&name) {
        node.problem(format!("ordersync sets the header {name} itself{}", setting_for(&name)));
        return None;
    }
    Some(name)
}

/// What to set in place of a header that is ours.
fn setting_for(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "authorization" => "; use auth",
        "content-type" => "; use media_type of the format",
        "content-encoding" => "; use gzip",
        "webhook-signature" => "; use signing_secret",
        _ => "",
    }
}

fn field_value(node: &Node<'_>) -> Option<HeaderValue> {
    let expected = "a string of printable ASCII characters";
    node.parse(|value| value.as_str().and_then(|text| HeaderValue::from_str(text).ok()).ok_or_else(|| expected.into()))
}

type ReadAuth = fn(&Table<'_>, String, &Egress) -> Option<Auth>;

const AUTH_KINDS: [(&str, ReadAuth); 4] = [
    ("bearer", |_, secret, _| Some(Auth::Bearer { secret })),
    ("basic", |_, secret, _| Some(Auth::Basic { secret })),
    ("header", header_auth),
    ("oauth2", oauth2),
];

/// The name of a secret with a token, or a table that says more.
fn auth(node: &Node<'_>, egress: &Egress) -> Option<Auth> {
    auth_or(node, egress, |secret| Auth::Bearer { secret })
}

/// The name of a secret, used the `usual` way, or a table that says more.
pub(crate) fn auth_or(node: &Node<'_>, egress: &Egress, usual: impl FnOnce(String) -> Auth) -> Option<Auth> {
    if node.is_string() {
        return node.parse(value::text).map(usual);
    }
    let table = node.table()?;
    let read = table.require("type", value::one_of(&AUTH_KINDS));
    let secret = table.require("secret", value::text);
    // An unknown kind has unknown keys: only its name is worth a problem.
    let auth = read?(&table, secret.clone().unwrap_or_default(), egress);
    table.finish();
    secret.and(auth)
}

fn header_auth(table: &Table<'_>, secret: String, _: &Egress) -> Option<Auth> {
    let node = table.required("name")?;
    let expected = "the name of a header that ordersync does not set itself";
    let name = node.parse(|value| {
        let name = value.as_str().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        name.filter(fields::may_carry_credential).ok_or_else(|| expected.into())
    })?;
    Some(Auth::Header { name, secret })
}

fn oauth2(table: &Table<'_>, secret: String, egress: &Egress) -> Option<Auth> {
    const CHOICES: [(&str, ClientAuth); 2] = [("basic", ClientAuth::Basic), ("body", ClientAuth::Body)];
    let token_url = url(table, "token_url", egress);
    let settings = Settings {
        client_id: table.read("client_id", value::text),
        secret,
        scope: table.read("scope", value::text),
        audience: table.read("audience", value::text),
        client_auth: table.read("client_auth", value::one_of(&CHOICES)).unwrap_or(ClientAuth::Basic),
        token_url: token_url?,
    };
    Some(Auth::OAuth2(Box::new(OAuth2::new(settings))))
}
