//! A small HTTP/1.1 server whose answers are written byte by byte, so that they may be wrong in any way.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that answers each request on a connection of its own.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Server {
    /// `answer` writes the answer to a request; when it returns, the connection is closed.
    pub(crate) fn start(answer: impl Fn(&Received, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { address, requests }
    }

    /// Answers every request with `status`, `headers` and `body`.
    pub(crate) fn answering(status: &'static str, headers: &'static [&'static str], body: &'static str) -> Self {
        Self::start(move |_, stream| reply(stream, status, headers, body))
    }

    /// Host and port, as URLs and `[egress] allow` have them.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    /// The one request that there was.
    pub(crate) fn only_request(&self) -> Received {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests.into_iter().next().unwrap()
    }
}

/// A whole answer.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &[&str], body: &str) {
    let headers = headers.iter().map(|line| [line, "\r\n"].concat()).collect::<String>();
    let length = body.len();
    send(stream, &format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"));
}

/// Bytes as they are. The client may have hung up, which is its right.
pub(crate) fn send(stream: &mut TcpStream, text: &str) {
    let _hung_up = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Reads what the client sends until it hangs up.
pub(crate) fn wait_for_the_end(stream: &mut TcpStream) {
    let _reset = stream.read_to_end(&mut Vec::new());
}

fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Received>>, answer: &dyn Fn(&Received, &mut TcpStream)) {
    let Some(received) = receive(&stream) else { return };
    requests.lock().unwrap().push(received.clone());
    answer(&received, &mut stream);
}

fn receive(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut received = Received::default();
    reader.read_line(&mut received.line).ok().filter(|read| *read > 0)?;
    received.line.truncate(received.line.trim_end().len());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        received.headers.insert(name.to_owned(), value.to_owned());
    }
    let length = received.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    received.body = vec![0; length];
    reader.read_exact(&mut received.body).ok()?;
    Some(received)
}
