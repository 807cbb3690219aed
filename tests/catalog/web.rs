//! A small HTTP server that behaves as badly as it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// How often this path was asked for before.
    pub before: usize,
}

/// What it says.
pub struct Says {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Gives the rest alone to whoever asks for it by `Range` and names this edition by `If-Range`.
    pub edition: Option<String>,
    /// Closes after half of the body, having promised all of it.
    pub breaks_off: bool,
}

impl Says {
    pub fn ok(body: impl Into<String>) -> Says {
        Says { status: 200, headers: Vec::new(), body: body.into(), edition: None, breaks_off: false }
    }

    pub fn status(status: u16) -> Says {
        Says { status, ..Says::ok("") }
    }
}

/// A server on a port of its own, which ends with the test.
pub struct Web {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    pub fn start(answer: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, &log, &*answer));
            }
        });
        Web { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no thread panics").clone()
    }
}

fn serve(mut stream: &TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Says) {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = String::new();
    if reader.take(length).read_to_string(&mut body).is_err() {
        return;
    }
    let asked = {
        let mut log = log.lock().expect("no thread panics");
        let before = log.iter().filter(|known| known.path == path).count();
        log.push(Asked { path, headers, body, before });
        log.last().expect("just pushed").clone()
    };
    let mut says = answer(&asked);
    if let Some(edition) = says.edition.take() {
        says.headers.push(("ETag", edition.clone()));
        let wanted =
            asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        if let Some(from) = wanted.filter(|_| asked.headers.get("if-range") == Some(&edition)) {
            let from: usize = from.parse().expect("a number");
            let whole = says.body.len();
            says.headers.push(("Content-Range", format!("bytes {from}-{}/{whole}", whole - 1)));
            says.body = says.body.split_off(from);
            says.status = 206;
        }
    }
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n", says.status, says.body.len());
    for (name, value) in &says.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body = if says.breaks_off { &says.body[..says.body.len() / 2] } else { &says.body };
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
}
