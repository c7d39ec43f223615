//! A receiver of exports that answers as badly as the test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

impl Request {
    /// The key that tells a repeated delivery.
    pub(crate) fn key(&self) -> &str {
        &self.headers["idempotency-key"]
    }
}

/// What a receiver answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status line's code and reason, header lines, a body.
    Whole(&'static str, Vec<&'static str>, String),
    /// The same, after a while.
    After(Duration, Box<Reply>),
    /// Nothing, for as long as the client waits.
    Never,
    /// 200 with a body of a thousand million bytes.
    Gigabyte,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Whole("200 OK", Vec::new(), body.into())
    }

    /// A failure without a body.
    pub(crate) fn status(status: &'static str) -> Self {
        Self::Whole(status, Vec::new(), String::new())
    }
}

/// A server on a port of its own.
pub(crate) struct Receiver {
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// Answers the request number `n` (from 1) with what `answer` makes of it.
    pub(crate) fn start(port: u16, answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}"));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { requests }
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests about one order.
    pub(crate) fn about(&self, order_id: &str) -> Vec<Request> {
        let is_about = |request: &Request| request.key().split(':').nth(1) == Some(order_id);
        self.requests().into_iter().filter(is_about).collect()
    }
}

fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Request>>, answer: &dyn Fn(usize, &Request) -> Reply) {
    let Some(request) = receive(&stream) else { return };
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        requests.len()
    };
    reply(&mut stream, &answer(number, &request));
}

fn reply(stream: &mut TcpStream, reply_with: &Reply) {
    match reply_with {
        Reply::Whole(status, headers, body) => {
            let headers: String = headers.iter().map(|line| [line, "\r\n"].concat()).collect();
            let head =
                format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            send(stream, head.as_bytes());
            send(stream, body.as_bytes());
        }
        Reply::After(wait, later) => {
            thread::sleep(*wait);
            reply(stream, later);
        }
        Reply::Never => {
            let _reset = stream.read_to_end(&mut Vec::new());
        }
        Reply::Gigabyte => {
            send(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
            let chunk = vec![b'x'; 1_000_000];
            for _ in 0..1000 {
                if !send(stream, &chunk) {
                    break;
                }
            }
        }
    }
}

/// Whether the client is still there.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
}

fn receive(stream: &TcpStream) -> Option<Request> {
    let at = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let (method, rest) = line.split_once(' ')?;
    let (method, path) = (method.to_owned(), rest.split(' ').next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body, at })
}
