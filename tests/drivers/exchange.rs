//! A loopback server that stands between a driver and CB-Spider: it passes traffic on and writes it down, or answers from
//! what was written down, and loses a reply when it is told to.
//!
//! A recording is lines of JSON, one for each exchange, in the order in which they happened. It is played back strictly in
//! that order: a driver that asks anything else is told so with status 599, which no driver takes for success.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where answers come from.
enum Source {
    Live { client: reqwest::Client, upstream: String, tags: bool, noted: Mutex<Vec<Value>> },
    Recording(Mutex<VecDeque<Value>>),
}

struct Inner {
    source: Source,
    lose_next: AtomicBool,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub struct Exchange {
    inner: Arc<Inner>,
    /// Where drivers find it.
    pub url: String,
}

impl Exchange {
    /// Passes everything on to a server; without `tags` it says that nothing there bears tags, as some clouds do.
    pub async fn live(upstream: &str, tags: bool) -> Exchange {
        let client = carafe::http::client().expect("a client");
        let upstream = upstream.trim_end_matches('/').to_owned();
        Exchange::serve(Source::Live { client, upstream, tags, noted: Mutex::default() }).await
    }

    /// Answers from a recording.
    pub async fn recorded(path: &Path) -> Exchange {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        Exchange::serve(Source::Recording(Mutex::new(lines))).await
    }

    async fn serve(source: Source) -> Exchange {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let inner = Arc::new(Inner { source, lose_next: AtomicBool::new(false) });
        let serving = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(serving.clone(), stream));
            }
        });
        Exchange { inner, url }
    }

    /// Lets the next request that changes something through and closes the connection instead of answering.
    pub fn lose_next_reply(&self) {
        self.inner.lose_next.store(true, Ordering::SeqCst);
    }

    /// Writes what was passed on to a file.
    pub fn record(&self, path: &Path) {
        let Source::Live { noted, .. } = &self.inner.source else {
            panic!("a recording is not recorded again")
        };
        let lines: String =
            noted.lock().expect("not poisoned").iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(path, lines).expect("writable");
    }

    /// Exchanges of a recording that nobody asked for.
    pub fn left(&self) -> usize {
        match &self.inner.source {
            Source::Live { .. } => 0,
            Source::Recording(lines) => lines.lock().expect("not poisoned").len(),
        }
    }
}

async fn answer(inner: Arc<Inner>, mut stream: TcpStream) {
    let Some((method, target, authorization, body)) = request(&mut stream).await else { return };
    let (status, reply) = match &inner.source {
        Source::Live { client, upstream, tags, noted } => {
            let verb = method.parse().expect("a method");
            let mut asking = client.request(verb, format!("{upstream}{target}")).body(body.to_string());
            asking = asking.header("content-type", "application/json").header("authorization", authorization);
            let response = asking.send().await.expect("CB-Spider answers");
            let status = response.status().as_u16();
            let bytes = response.bytes().await.unwrap_or_default();
            let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let reply = told(reply, *tags);
            let line =
                json!({"method": method, "target": target, "body": body, "status": status, "reply": reply});
            noted.lock().expect("not poisoned").push(line);
            (status, reply)
        }
        Source::Recording(lines) => {
            let next = lines.lock().expect("not poisoned").pop_front().unwrap_or_default();
            let asked = json!({"method": method, "target": target, "body": body});
            let same = ["method", "target", "body"].iter().all(|key| next[*key] == asked[*key]);
            match same {
                true => (next["status"].as_u64().expect("a status") as u16, next["reply"].clone()),
                false => (599, json!({"message": format!("the recording goes on with {next}, not {asked}")})),
            }
        }
    };
    if method != "GET" && inner.lose_next.swap(false, Ordering::SeqCst) {
        return;
    }
    let reply = reply.to_string();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        reply.len()
    );
    let _ = stream.write_all(format!("{head}{reply}").as_bytes()).await;
}

/// Method, target, credential and body of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, String, String, Value)> {
    let mut bytes = Vec::new();
    loop {
        let mut more = [0; 8192];
        let read = stream.read(&mut more).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&more[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let length: usize = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        if bytes.len() < end + 4 + length {
            continue;
        }
        let mut words = head.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default();
        return Some((method, target, header("authorization").unwrap_or_default(), body));
    }
}

/// What a driver is told: whatever looks like a private key is not written down.
fn told(mut reply: Value, tags: bool) -> Value {
    if let Some(types) = reply.get_mut("TagSupportResourceType").filter(|_| !tags) {
        *types = json!([]);
    }
    if let Some(key) = reply.get_mut("PrivateKey") {
        *key = "a private key".into();
    }
    reply
}
