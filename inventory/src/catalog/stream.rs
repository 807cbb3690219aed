//! A price list as a stream: plain or gzip, bounded, told apart from what people save in its place.
//!
//! The largest public lists are some hundred megabytes, so they are read piece by piece. What a file unpacks to has two
//! ends: a size, and, since a bomb is known by it long before that, how many times larger it is than what was packed.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carafe_model::finding::{Finding, Place};

/// The most that one streamed file may hold or unpack to: ten times the largest public list of one region.
const MOST_BYTES: u64 = 8 << 30;
/// Real lists pack to a twentieth or a fiftieth. Below this size nobody looks.
const MOST_RATIO: u64 = 250;
const RATIO_FROM: u64 = 64 << 20;
/// How much of a file is looked at to tell its format.
const HEAD: usize = 32 << 10;

/// A price list that is read once, from its beginning to its end.
pub struct PriceFile<'a> {
    /// The name findings call it by: as the user wrote it.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: Box<dyn Read + 'a>,
}

impl std::fmt::Debug for PriceFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PriceFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A list that has been unpacked and whose beginning is known.
pub(super) struct Opened<'a> {
    pub name: &'a str,
    /// The first characters, without byte order mark.
    pub head: String,
    /// Everything, from the first character on.
    pub text: Box<dyn BufRead + 'a>,
}

/// A file that unpacks to too much.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to too much")]
struct Bomb;

/// Opens a price list.
///
/// # Errors
/// A finding when it is empty, damaged, too large, in another encoding, or a web page.
pub(super) fn open<'a>(file: PriceFile<'a>) -> Result<Opened<'a>, Box<Finding>> {
    let name = file.name;
    let packed = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: file.bytes, read: Arc::clone(&packed) };
    let (start, whole) = peek(counted, 2).map_err(|error| broken(name, &error))?;
    let is_packed = start == [0x1f, 0x8b];
    let unpacked: Box<dyn Read + 'a> = match is_packed {
        true => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(whole))),
        false => Box::new(whole),
    };
    let bounded = Bounded { inner: unpacked, seen: 0, packed: is_packed.then_some(packed) };
    let (head, whole) = peek(bounded, HEAD).map_err(|error| broken(name, &error))?;
    let refuse = |code, summary: &str, help: &str| {
        Err(Box::new(Finding::error(code, summary).at(Place::file(name)).help(help)))
    };
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return refuse("CAT-1006", "the file is UTF-16, not UTF-8", "save it with the encoding UTF-8");
    }
    let mark = if head.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let text = match std::str::from_utf8(&head[mark..]) {
        Ok(text) => text,
        // A character that the end of the head cuts in two is none of the file's faults.
        Err(error) if error.error_len().is_none() && head.len() == HEAD => {
            std::str::from_utf8(&head[mark..mark + error.valid_up_to()]).expect("valid up to there")
        }
        Err(_) => return refuse("CAT-1006", "the file is not UTF-8 text", "save it with the encoding UTF-8"),
    };
    let head = text.trim_start().to_owned();
    if head.is_empty() {
        return refuse("CAT-1013", "the file is empty", "download or copy it again");
    }
    if head.starts_with('<') {
        return refuse(
            "CAT-1004",
            "this is a web page or XML, not a price list",
            "download the file itself; a login or error page may have been saved in its place",
        );
    }
    let mut text: Box<dyn BufRead + 'a> = Box::new(BufReader::with_capacity(1 << 16, whole));
    if mark > 0 {
        let mut bytes = [0; 3];
        text.read_exact(&mut bytes).map_err(|error| broken(name, &error))?;
    }
    Ok(Opened { name, head, text })
}

/// What is said when a stream ends with an error.
pub(super) fn broken(file: &str, error: &io::Error) -> Box<Finding> {
    let is_bomb = error.get_ref().is_some_and(|inner| inner.is::<Bomb>());
    let (code, summary, help) = match (is_bomb, error.kind()) {
        (true, _) => (
            "CAT-1008",
            "the file unpacks to more than a price list can be".to_owned(),
            "check where the file comes from; real lists unpack to at most fifty times their size",
        ),
        (false, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => (
            "CAT-1007",
            "the gzip file is cut short or damaged".to_owned(),
            "download or copy the file again",
        ),
        (false, _) => {
            ("CAT-1014", format!("the file cannot be read: {error}"), "check the disk and try again")
        }
    };
    Box::new(Finding::error(code, summary).at(Place::file(file)).help(help))
}

/// A stream whose beginning was looked at.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads the first bytes, and gives them back in front of the rest.
fn peek<R: Read>(mut inner: R, most: usize) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = Vec::new();
    inner.by_ref().take(most as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(inner)))
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Ends with an error once there was too much.
struct Bounded<R> {
    inner: R,
    seen: u64,
    /// How much of a packed file was read so far.
    packed: Option<Arc<AtomicU64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.seen += count as u64;
        let packed = self.packed.as_ref().map(|packed| packed.load(Ordering::Relaxed));
        let is_bomb = packed.is_some_and(|packed| self.seen > RATIO_FROM && self.seen / MOST_RATIO > packed);
        match is_bomb || self.seen > MOST_BYTES {
            true => Err(io::Error::other(Bomb)),
            false => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn code(bytes: &[u8]) -> String {
        match open(PriceFile { name: "f", bytes: Box::new(bytes) }) {
            Err(finding) => finding.code,
            Ok(mut opened) => {
                let error = io::copy(&mut opened.text, &mut io::sink()).expect_err("it must be refused");
                broken("f", &error).code
            }
        }
    }

    fn gzip(bytes: &mut dyn Read) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::copy(bytes, &mut encoder).expect("memory");
        encoder.flush().expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn what_is_no_price_list_is_told_apart() {
        for (bytes, expected) in [
            (&b""[..], "CAT-1013"),
            (b"\xef\xbb\xbf \n", "CAT-1013"),
            (b"<!doctype html><title>Sign in</title>", "CAT-1004"),
            (b"\xff\xfe{\0}\0", "CAT-1006"),
            (b"{\"a\":\"\xe9t\xe9\"}", "CAT-1006"),
        ] {
            assert_eq!(code(bytes), expected, "{bytes:?}");
            assert_eq!(code(&gzip(&mut &bytes[..])), expected, "packed {bytes:?}");
        }
        let packed = gzip(&mut &b"{\"offerCode\":\"AmazonEC2\"}"[..]);
        assert_eq!(code(&packed[..packed.len() - 4]), "CAT-1007");
    }

    #[test]
    fn a_bomb_is_known_long_before_it_has_unfolded() {
        let bomb = gzip(&mut io::repeat(b' ').take(1 << 20).chain(&b"{}"[..]));
        assert!(bomb.len() < 1 << 12, "a megabyte packs to {}", bomb.len());
        let opened = open(PriceFile { name: "f", bytes: Box::new(&bomb[..]) });
        // Its beginning is blank, which is no list either; behind a first letter the ratio tells.
        assert_eq!(opened.err().map(|finding| finding.code), Some("CAT-1013".to_owned()));
        let bomb = gzip(&mut (&b"{"[..]).chain(io::repeat(b' ').take(1 << 30)));
        assert_eq!(code(&bomb), "CAT-1008");
    }

    #[test]
    fn a_plain_stream_is_given_whole_without_its_mark() {
        let mut opened =
            open(PriceFile { name: "f", bytes: Box::new("\u{feff}a,b\n1,2\n".as_bytes()) }).expect("a table");
        let mut text = String::new();
        opened.text.read_to_string(&mut text).expect("memory");
        assert_eq!((text.as_str(), opened.head.as_str()), ("a,b\n1,2\n", "a,b\n1,2\n"));
    }
}
