//! The Lambda Runtime API: hands one invocation at a time to the target that asks, and says when what happened.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use ordersync::clock;
use tokio::sync::{Mutex, mpsc};

use super::server::{Answer, Request, Server, Service, plain, typed};

/// How long an invocation may take before its deadline, as the functions are deployed.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Where the interface begins.
const PREFIX: &str = "/2018-06-01/runtime/";

/// Something that the target did, and when.
#[derive(Debug)]
pub struct Seen {
    /// When its request had arrived.
    pub at: Instant,
    /// What it did.
    pub what: What,
}

/// What a target does at the Runtime API.
#[derive(Debug)]
pub enum What {
    /// It asks for an invocation: it is ready.
    Asked,
    /// It was handed one.
    Handed,
    /// It answered.
    Answered(Bytes),
    /// It says that the invocation failed, or that it cannot start.
    Failed(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked for an invocation"),
            Self::Handed => f.write_str("was handed an invocation"),
            Self::Answered(body) => write!(f, "answered {}", String::from_utf8_lossy(body)),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// The Runtime API of one target's process.
#[derive(Debug)]
pub struct Runtime {
    server: Server,
    invocations: mpsc::UnboundedSender<Bytes>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

#[derive(Debug)]
struct Api {
    invocations: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    seen: mpsc::UnboundedSender<Seen>,
    count: std::sync::atomic::AtomicU64,
}

impl Runtime {
    /// Starts to listen.
    pub(super) async fn start() -> std::io::Result<Self> {
        let (invocations, handed_out) = mpsc::unbounded_channel();
        let (noted, seen) = mpsc::unbounded_channel();
        let api = Api { invocations: Mutex::new(handed_out), seen: noted, count: std::sync::atomic::AtomicU64::new(0) };
        let server = Server::start(None, Arc::new(api)).await?;
        Ok(Self { server, invocations, seen })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Hands an event to whoever asks next.
    pub fn hand_out(&self, event: Bytes) {
        // The server lives as long as this.
        drop(self.invocations.send(event));
    }

    /// What the target did next.
    pub async fn next(&mut self) -> Option<Seen> {
        self.seen.recv().await
    }
}

impl Service for Api {
    async fn answer(&self, request: Request) -> Answer {
        let at = Instant::now();
        let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let what = match (request.method(), path.as_str()) {
            (&Method::GET, "invocation/next") => {
                self.note(at, What::Asked);
                return self.invocation().await;
            }
            (&Method::POST, "init/error") => What::Failed(text(&request)),
            (&Method::POST, path) if path.ends_with("/response") => What::Answered(request.into_body()),
            (&Method::POST, path) if path.ends_with("/error") => What::Failed(text(&request)),
            _ => return plain(StatusCode::NOT_FOUND, "no such path in the Runtime API"),
        };
        self.note(at, what);
        typed(StatusCode::ACCEPTED, "application/json", &b"{\"status\":\"OK\"}\n"[..])
    }
}

impl Api {
    fn note(&self, at: Instant, what: What) {
        // Nobody looks any more once the target is being ended.
        drop(self.seen.send(Seen { at, what }));
    }

    async fn invocation(&self) -> Answer {
        let Some(event) = self.invocations.lock().await.recv().await else {
            return plain(StatusCode::GONE, "the run is over");
        };
        let count = self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut answer = typed(StatusCode::OK, "application/json", event);
        let deadline = clock::now().as_millisecond() + i64::try_from(TIME_LIMIT.as_millis()).unwrap_or(i64::MAX);
        let id = format!("8476a536-e9f4-11e8-9739-{count:012x}");
        let trace =
            format!("Root=1-5bef4de7-ad49b0e87f6ef6c{:09x};Parent=9a9197af755a6419;Sampled=1", count % (1 << 36));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-trace-id", trace),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                answer.headers_mut().insert(name, value);
            }
        }
        let arn = HeaderValue::from_static("arn:aws:lambda:us-east-1:123456789012:function:bench");
        answer.headers_mut().insert("lambda-runtime-invoked-function-arn", arn);
        self.note(Instant::now(), What::Handed);
        answer
    }
}

fn text(request: &Request) -> String {
    String::from_utf8_lossy(request.body()).into_owned()
}
