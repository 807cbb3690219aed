//! A web server on the loopback interface, for tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// Answers each request by its first line, headers and body, and keeps it.
pub(super) struct Server {
    /// Its address.
    pub(super) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one; `None` is a 404.
    pub(super) fn start(answers: impl Fn(&str) -> Option<String> + Send + 'static) -> Server {
        Server::with_status(move |request| match answers(request) {
            Some(answer) => (200, answer),
            None => (404, "{}".to_owned()),
        })
    }

    /// Starts one that chooses its status.
    pub(super) fn with_status(answers: impl Fn(&str) -> (u16, String) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
                let mut request = String::new();
                while reader.read_line(&mut request).is_ok_and(|read| read > 2) {}
                let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.and_then(|text| text.parse().ok()).unwrap_or(0)];
                reader.read_exact(&mut body).expect("the whole body");
                request.push_str(&String::from_utf8_lossy(&body));
                let (status, answer) = answers(&request);
                kept.lock().expect("no panic").push(request);
                let length = answer.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} Told\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
                );
            }
        });
        Server { url, seen }
    }

    /// All requests with their bodies, in the order in which they came.
    pub(super) fn seen(&self) -> String {
        self.seen.lock().expect("no panic").join("\n")
    }
}
