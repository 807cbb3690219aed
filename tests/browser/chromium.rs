//! A headless Chromium on the other end of two pipes, spoken to in the DevTools protocol.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// Far above what any answer takes, so that only a browser that hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(300);

/// A browser with one page open. It ends with the value.
pub struct Chromium {
    process: Child,
    requests: ChildStdin,
    messages: Receiver<serde_json::Result<Value>>,
    last_id: u64,
    session: Option<String>,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts the browser that `apt-get install chromium` brings, with an empty profile.
    pub fn start() -> Chromium {
        let profile = tempfile::tempdir().expect("a folder for the browser's profile");
        let mut process = Command::new("sh")
            .arg("-c")
            // The browser reads requests from descriptor 3 and writes answers to 4.
            .arg(r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null"#)
            .arg("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--disable-quic", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let requests = process.stdin.take().expect("piped");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message)).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut chromium = Chromium {
            process,
            requests,
            messages,
            last_id: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        chromium.open_page();
        chromium
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Asks for something and waits for the answer; what happens meanwhile is kept for [`Chromium::events`].
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let sent = self.requests.write_all(format!("{request}\0").as_bytes());
        if sent.is_err() {
            self.explain_absence();
        }
        loop {
            let mut message = self.next_message(method);
            if message["id"] == json!(self.last_id) {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn next_message(&mut self, waiting_for: &str) -> Value {
        match self.messages.recv_timeout(PATIENCE) {
            Ok(message) => message.expect("the browser writes JSON"),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                panic!("the browser did not answer {waiting_for} within {} seconds", PATIENCE.as_secs())
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => self.explain_absence(),
        }
    }

    fn explain_absence(&mut self) -> ! {
        // It may have closed its end and live on; one that has ended already keeps the status it ended with.
        let _ = self.process.kill();
        let status = self.process.wait().expect("started before");
        match status.code() {
            Some(127) => panic!("chromium is not installed: apt-get install chromium"),
            _ => panic!("chromium ended too early: {status}"),
        }
    }

    /// Opens a file and waits until it and all it refers to is loaded; forgets earlier events.
    pub fn open(&mut self, file: &Path) {
        self.events.clear();
        let result = self.call("Page.navigate", json!({ "url": file_url(file) }));
        assert!(result.get("errorText").is_none(), "{}: {}", file.display(), result["errorText"]);
        while self.events("Page.loadEventFired").is_empty() {
            let message = self.next_message("Page.loadEventFired");
            self.events.push(message);
        }
    }

    /// What happened since the file was opened, by method.
    pub fn events(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).map(|event| &event["params"]).collect()
    }

    /// Evaluates an expression in the page, waiting for it if it is a promise.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Sets the window's width in CSS pixels, `screen` or `print`, and `light` or `dark`.
    pub fn look(&mut self, width: u32, media: &str, scheme: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
    }

    /// A picture of the whole page, as PNG.
    pub fn screenshot(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        from_base64(answer["data"].as_str().expect("a picture"))
    }

    /// The page printed on A4, as PDF.
    pub fn print(&mut self) -> Vec<u8> {
        let paper = json!({ "paperWidth": 8.27, "paperHeight": 11.69, "printBackground": true });
        let answer = self.call("Page.printToPDF", paper);
        from_base64(answer["data"].as_str().expect("a document"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Already gone when a test fails because of that.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address of a file, with everything escaped that an address gives a meaning to.
pub fn file_url(file: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in file.to_str().expect("test folders have plain names").bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => url.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut width) = (0u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("not base64: {letter:#x}"),
        };
        bits = bits << 6 | u32::from(value);
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width & 0xff) as u8);
        }
    }
    bytes
}
