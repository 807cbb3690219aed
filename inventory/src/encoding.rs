//! The text of a file, whatever program wrote it: UTF-8 with or without a mark, UTF-16 with one, or Windows-1252.

use std::borrow::Cow;

use carafe_model::finding::{Finding, Place};
use encoding_rs::{Encoding, WINDOWS_1252};

use crate::input::InputFile;

/// The text of a file, without its byte order mark.
///
/// Bytes that are not UTF-8 and have no mark are read as Windows-1252, in which every byte is a letter, with `INV-1006`.
pub fn text<'a>(file: &InputFile<'a>, findings: &mut Vec<Finding>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(file.bytes) {
        return encoding.decode_without_bom_handling(&file.bytes[mark..]).0;
    }
    if let Ok(text) = std::str::from_utf8(file.bytes) {
        return Cow::Borrowed(text);
    }
    let line = 1 + std::str::from_utf8(file.bytes).map_or_else(
        |error| file.bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count(),
        |_| 0,
    );
    findings.push(
        Finding::warning("INV-1006", "the file is not UTF-8 and was read as Windows-1252")
            .at(Place::file(file.name).row(u32::try_from(line).unwrap_or(u32::MAX)))
            .help("look at names with letters beyond ASCII; save the file as UTF-8 if they are wrong"),
    );
    WINDOWS_1252.decode_without_bom_handling(file.bytes).0
}

/// The beginning of a file as text, for a glance at what it is.
pub fn beginning(bytes: &[u8], most: usize) -> Cow<'_, str> {
    let start = &bytes[..bytes.len().min(most)];
    match Encoding::for_bom(start) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&start[mark..]).0,
        None => String::from_utf8_lossy(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, usize) {
        let mut findings = Vec::new();
        let text = text(&InputFile { name: "f", bytes }, &mut findings).into_owned();
        (text, findings.len())
    }

    #[test]
    fn every_encoding_of_a_spreadsheet_program_gives_the_same_text() {
        let words = "Größe;é";
        let utf16: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = words.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, told) in [
            (words.as_bytes().to_vec(), 0),
            ([b"\xef\xbb\xbf", words.as_bytes()].concat(), 0),
            ([&b"\xff\xfe"[..], &utf16].concat(), 0),
            ([&b"\xfe\xff"[..], &big].concat(), 0),
            (b"Gr\xf6\xdfe;\xe9".to_vec(), 1),
        ] {
            assert_eq!(read(&bytes), (words.to_owned(), told), "{bytes:?}");
        }
    }
}
