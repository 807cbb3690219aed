//! One list into one file: asked for again when the server is busy or broke off, and only when it has changed.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use carafe_model::document::sha256;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sign::Headers;
use crate::http;

/// How often a list is asked for before its server counts as broken.
const ATTEMPTS: u32 = 6;
/// The first wait between two attempts; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait, also where a server asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// The largest list: twice the largest that is known.
const MOST_BYTES: u64 = 8 << 30;

/// Why a list could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Something is missing or wrong in what was wished for.
    #[error("{0}")]
    Wish(String),
    /// The server refused, or is not there, however often it was asked.
    #[error("{host}: {message}")]
    Server {
        /// Whom was asked.
        host: String,
        /// What it said last.
        message: String,
    },
    /// What came is not what it should be.
    #[error("{host} answers with something else than a price list: {message}")]
    Answer {
        /// Whom was asked.
        host: String,
        /// What is wrong with it.
        message: String,
    },
    /// The folder cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Makes the headers that prove who asks for an address.
pub(super) type Proof<'a> = &'a (dyn Fn(&Url) -> Headers + Send + Sync);

/// What is remembered of a list beside its bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Memory {
    fn read(path: &Path) -> Option<Memory> {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    fn write(&self, path: &Path) -> Result<(), SyncError> {
        let bytes = serde_json::to_vec(self).expect("two texts");
        fs::write(path, bytes).map_err(|source| SyncError::Folder { path: path.to_owned(), source })
    }
}

/// A list that has not come whole yet: its bytes, and beside them which edition they are of.
struct Part {
    bytes: PathBuf,
    memory: PathBuf,
}

impl Part {
    fn of(body: &Path) -> Part {
        Part { bytes: body.with_extension("part"), memory: body.with_extension("part.json") }
    }

    /// How much came, and what says that the rest is of the same edition (RFC 9110, If-Range). A weak tag promises the
    /// meaning, not the bytes, so there is nothing to go on from without a strong one or a date.
    fn begun(&self) -> Option<(u64, HeaderValue)> {
        let size = fs::metadata(&self.bytes).ok()?.len();
        let known = Memory::read(&self.memory)?;
        let strong = known.etag.filter(|tag| !tag.starts_with("W/"));
        let validator = strong.or(known.last_modified)?;
        (size > 0).then_some((size, HeaderValue::from_str(&validator).ok()?))
    }

    /// Begins anew. The memory goes first and comes last, so that it never speaks of other bytes.
    fn begin(&self, edition: &Memory) -> Result<(), SyncError> {
        let _ = fs::remove_file(&self.memory);
        File::create(&self.bytes).map_err(|source| SyncError::Folder { path: self.bytes.clone(), source })?;
        edition.write(&self.memory)
    }

    fn forget(&self) {
        let _ = fs::remove_file(&self.memory);
        let _ = fs::remove_file(&self.bytes);
    }
}

/// Fetches lists into a folder.
pub struct Fetcher {
    client: reqwest::Client,
    folder: PathBuf,
    fetched: AtomicU64,
    unchanged: AtomicU64,
    bytes: AtomicU64,
}

impl Fetcher {
    /// A fetcher that keeps lists in a folder.
    ///
    /// # Errors
    /// [`SyncError`] when the folder cannot be made or no client can be.
    pub fn new(folder: &Path) -> Result<Fetcher, SyncError> {
        fs::create_dir_all(folder).map_err(|source| SyncError::Folder { path: folder.to_owned(), source })?;
        let client = http::client().map_err(SyncError::Wish)?;
        Ok(Fetcher {
            client,
            folder: folder.to_owned(),
            fetched: AtomicU64::new(0),
            unchanged: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// How many lists came whole, and how many had not changed.
    pub fn counts(&self) -> (u64, u64) {
        (self.fetched.load(Ordering::Relaxed), self.unchanged.load(Ordering::Relaxed))
    }

    /// How many bytes came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Fetches a list; the file has its bytes when this returns. `proof` says who asks, in headers
    /// that nobody may see; it is made anew for each attempt.
    ///
    /// # Errors
    /// [`SyncError`] when it cannot be had.
    pub async fn list(&self, url: &Url, proof: Option<Proof<'_>>) -> Result<PathBuf, SyncError> {
        let name = sha256(url.as_str().as_bytes());
        let (body, memory) =
            (self.folder.join(&name[..32]), self.folder.join(format!("{}.json", &name[..32])));
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut wait = FIRST_WAIT;
        let mut said = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            match self.once(url, proof, &body, &memory).await? {
                Once::Done => return Ok(body),
                Once::Again { message, after } => {
                    said = message;
                    wait = after.map_or(wait, |after| after.min(LONGEST_WAIT));
                }
                Once::Never { message } => return Err(SyncError::Server { host, message }),
            }
        }
        Err(SyncError::Server { host, message: format!("{said}, {ATTEMPTS} times") })
    }

    /// Fetches a list that is JSON and reads it.
    ///
    /// # Errors
    /// [`SyncError`] when it cannot be had or is none.
    pub async fn json(&self, url: &Url, proof: Option<Proof<'_>>) -> Result<(PathBuf, Value), SyncError> {
        let path = self.list(url, proof).await?;
        let read = fs::read(&path).map_err(|source| SyncError::Folder { path: path.clone(), source })?;
        match serde_json::from_slice(&read) {
            Ok(value) => Ok((path, value)),
            Err(error) => {
                // What is no JSON must not be kept as the list that has not changed.
                let _ = fs::remove_file(&path);
                let host = url.host_str().unwrap_or_default().to_owned();
                Err(SyncError::Answer { host, message: error.to_string() })
            }
        }
    }

    /// Writes something made of several answers beside the lists.
    ///
    /// # Errors
    /// [`SyncError::Folder`].
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, SyncError> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|source| SyncError::Folder { path: path.clone(), source })?;
        Ok(path)
    }

    async fn once(
        &self,
        url: &Url,
        proof: Option<Proof<'_>>,
        body: &Path,
        memory: &Path,
    ) -> Result<Once, SyncError> {
        let mut headers = HeaderMap::new();
        for (name, value) in proof.map(|proof| proof(url)).unwrap_or_default() {
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                SyncError::Wish("the credential holds a character that a header cannot".into())
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let part = Part::of(body);
        let begun = part.begun();
        match &begun {
            Some((size, validator)) => {
                headers.insert(RANGE, HeaderValue::from_str(&format!("bytes={size}-")).expect("digits"));
                headers.insert(IF_RANGE, validator.clone());
            }
            None => {
                let known: Memory =
                    if body.exists() { Memory::read(memory).unwrap_or_default() } else { Memory::default() };
                for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)]
                {
                    if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                        headers.insert(name, value);
                    }
                }
            }
        }
        let sent = self.client.get(url.clone()).headers(headers).send();
        let mut response = match tokio::time::timeout(SILENCE, sent).await {
            Err(_) => return Ok(Once::again("it does not answer")),
            Ok(Err(error)) => return Ok(Once::again(&http::words(&error))),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        let header = |name: HeaderName| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        if status == StatusCode::NOT_MODIFIED {
            self.unchanged.fetch_add(1, Ordering::Relaxed);
            return Ok(Once::Done);
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            part.forget();
            return Ok(Once::again("it no longer has the rest of the list"));
        }
        if !status.is_success() {
            let message = format!("it answers {status}");
            if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
                let after =
                    header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                return Ok(Once::Again { message, after });
            }
            // Alibaba throttles with the status of a bad request, and says so in the answer.
            let text = tokio::time::timeout(SILENCE, response.chunk()).await;
            let said = text.ok().and_then(Result::ok).flatten().unwrap_or_default();
            if status == StatusCode::BAD_REQUEST && String::from_utf8_lossy(&said).contains("Throttling") {
                return Ok(Once::again("it asks to be asked less often"));
            }
            return Ok(Once::Never { message });
        }
        let new = Memory { etag: header(ETAG), last_modified: header(LAST_MODIFIED) };
        let promised: Option<u64> = header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
        let unwritable = |source| SyncError::Folder { path: part.bytes.clone(), source };
        // A server that does not give the rest gives the whole: what was begun is written over.
        let mut size = match (status, begun) {
            (StatusCode::PARTIAL_CONTENT, Some((size, _))) => {
                let starts =
                    header(CONTENT_RANGE).is_some_and(|range| range.starts_with(&format!("bytes {size}-")));
                if !starts {
                    part.forget();
                    return Ok(Once::again("it gives another part than it was asked for"));
                }
                size
            }
            _ => {
                part.begin(&new)?;
                0
            }
        };
        let promised = promised.map(|promised| promised + size);
        let mut file = OpenOptions::new().append(true).open(&part.bytes).map_err(unwritable)?;
        loop {
            match tokio::time::timeout(SILENCE, response.chunk()).await {
                Err(_) => return Ok(Once::again("it fell silent")),
                Ok(Err(error)) => return Ok(Once::again(&format!("it broke off: {}", http::words(&error)))),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => {
                    size += chunk.len() as u64;
                    if size > MOST_BYTES {
                        part.forget();
                        return Ok(Once::Never { message: "the list does not end".into() });
                    }
                    file.write_all(&chunk).map_err(unwritable)?;
                    self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                }
            }
        }
        if promised.is_some_and(|promised| promised != size) {
            if promised.is_some_and(|promised| promised < size) {
                part.forget();
            }
            return Ok(Once::again("it broke off"));
        }
        file.sync_all().map_err(unwritable)?;
        // First the bytes, then what is known of them: a list without a memory is only asked for again.
        let _ = fs::remove_file(memory);
        fs::rename(&part.bytes, body).map_err(unwritable)?;
        new.write(memory)?;
        part.forget();
        self.fetched.fetch_add(1, Ordering::Relaxed);
        Ok(Once::Done)
    }
}

/// What came of asking once.
enum Once {
    Done,
    Again { message: String, after: Option<Duration> },
    Never { message: String },
}

impl Once {
    fn again(message: &str) -> Once {
        Once::Again { message: message.to_owned(), after: None }
    }
}

/// Reads an address.
///
/// # Errors
/// [`SyncError::Wish`] when it is none.
pub(super) fn url(text: &str) -> Result<Url, SyncError> {
    let url = Url::parse(text).map_err(|_| SyncError::Wish(format!("{text} is not a web address")))?;
    match ["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(SyncError::Wish("an endpoint is an http or https address without a password".into())),
    }
}

/// The address of a next page, which must be on the server that was asked: a key must not go elsewhere.
///
/// # Errors
/// [`SyncError::Answer`] when it is not.
pub(super) fn next_page(page: &Url, link: &str) -> Result<Url, SyncError> {
    let host = page.host_str().unwrap_or_default().to_owned();
    match page.join(link) {
        Ok(next) if next.origin() == page.origin() => Ok(next),
        _ => Err(SyncError::Answer { host, message: "its next page is on another server".into() }),
    }
}

/// The header of a token.
pub(super) const BEARER: HeaderName = AUTHORIZATION;
