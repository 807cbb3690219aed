//! The snapshot file: one line of JSON that says what it is, then the catalog's columns.
//!
//! ```text
//! {"carafe":"snapshot/2","id":"starter-2026-11","sha256":"…","bytes":183204,…}\n
//! <postcard encoding of Snapshot, exactly `bytes` long>
//! ```
//!
//! The hash is of the columns alone. `head -1` tells a person what the file holds; see `docs/formats/snapshot.md`.

use serde::{Deserialize, Serialize};

use crate::catalog::Snapshot;
use crate::document::sha256;
use crate::finding::{Finding, Place};

const HEADER: &str = "snapshot/2";

/// What is wrong with a snapshot file: code, summary, what to do. [`open`] finds these.
pub const CODES: [(&str, &str, &str); 4] = [
    ("CAT-0001", "not a catalog snapshot", "write one with `carafe catalog import`"),
    (
        "CAT-0002",
        "the snapshot was written by a newer Carafe",
        "install a newer Carafe, or import the prices again",
    ),
    ("CAT-0003", "the snapshot is cut short or was changed", "copy or import it again"),
    ("CAT-0004", "the snapshot was written by an older Carafe", "import its prices again"),
];

/// A catalog together with the hash that names it.
#[derive(Clone, Debug)]
pub struct SealedSnapshot {
    /// The catalog.
    pub catalog: Snapshot,
    /// SHA-256 of its columns, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    carafe: String,
    id: String,
    sha256: String,
    bytes: u64,
    oldest_price: String,
    newest_price: String,
    providers: usize,
    regions: usize,
    instance_types: usize,
    offers: usize,
}

/// Fixes a catalog and names it by its hash; also returns the bytes of its file.
pub fn seal(catalog: Snapshot) -> (SealedSnapshot, Vec<u8>) {
    let columns = postcard::to_stdvec(&catalog).expect("memory is the only limit of this encoding");
    let (oldest, newest) = catalog.price_dates();
    let header = Header {
        carafe: HEADER.to_owned(),
        id: catalog.id.clone(),
        sha256: sha256(&columns),
        bytes: columns.len() as u64,
        oldest_price: oldest.to_owned(),
        newest_price: newest.to_owned(),
        providers: catalog.providers.len(),
        regions: catalog.regions.len(),
        instance_types: catalog.instance_types.len(),
        offers: catalog.offers.len(),
    };
    let mut file = serde_json::to_vec(&header).expect("a flat struct");
    file.push(b'\n');
    file.extend_from_slice(&columns);
    (SealedSnapshot { catalog, sha256: header.sha256 }, file)
}

/// Whether bytes look like a snapshot file.
pub fn is_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"carafe":"snapshot/"#)
}

/// Opens a snapshot file and checks its hash.
///
/// # Errors
/// `CAT-0001` not a snapshot, `CAT-0002` a newer version, `CAT-0003` cut short or changed after it was written,
/// `CAT-0004` an older version.
pub fn open(file: &str, bytes: &[u8]) -> Result<SealedSnapshot, Box<Finding>> {
    let refuse = |code, summary: &str, help: &str| {
        Box::new(Finding::error(code, summary).at(Place::file(file)).help(help))
    };
    let not_one = || {
        refuse(
            "CAT-0001",
            "not a catalog snapshot",
            "write one with `carafe catalog import FILE… --as FORMAT -o catalog.snapshot`",
        )
    };
    let damaged =
        || refuse("CAT-0003", "the snapshot is cut short or was changed", "copy or import it again");
    let line_end = bytes.iter().take(4096).position(|byte| *byte == b'\n').ok_or_else(not_one)?;
    let header: serde_json::Value = serde_json::from_slice(&bytes[..line_end]).map_err(|_| not_one())?;
    match header.get("carafe").and_then(|carafe| carafe.as_str()) {
        Some(HEADER) => {}
        Some("snapshot/1") => {
            return Err(refuse(
                "CAT-0004",
                "the snapshot was written by an older Carafe",
                "import its prices again with `carafe catalog import FILE… --as FORMAT -o catalog.snapshot`",
            ));
        }
        Some(other) if other.starts_with("snapshot/") => {
            return Err(refuse(
                "CAT-0002",
                "the snapshot was written by a newer Carafe",
                "install a newer Carafe, or import the prices again",
            ));
        }
        _ => return Err(not_one()),
    }
    let header: Header = serde_json::from_value(header).map_err(|_| damaged())?;
    let columns = &bytes[line_end + 1..];
    if columns.len() as u64 != header.bytes || sha256(columns) != header.sha256 {
        return Err(damaged());
    }
    let catalog: Snapshot = postcard::from_bytes(columns).map_err(|_| damaged())?;
    Ok(SealedSnapshot { catalog, sha256: header.sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        Snapshot { id: "x".to_owned(), ..Snapshot::default() }
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let (sealed, file) = seal(sample());
        let opened = open("c", &file).expect("just sealed");
        assert_eq!(opened.catalog, sealed.catalog);
        assert_eq!(opened.sha256, sealed.sha256);
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let (_, file) = seal(sample());
        let columns_start = file.iter().position(|b| *b == b'\n').expect("header line") + 1;
        for place in columns_start..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert_eq!(open("c", &changed).expect_err("changed").code, "CAT-0003");
        }
        assert_eq!(open("c", &file[..file.len() - 1]).expect_err("cut").code, "CAT-0003");
        assert_eq!(open("c", b"hello").expect_err("other").code, "CAT-0001");
        assert_eq!(open("c", b"{\"carafe\":\"snapshot/3\"}\n").expect_err("newer").code, "CAT-0002");
        assert_eq!(open("c", b"{\"carafe\":\"snapshot/1\"}\n").expect_err("older").code, "CAT-0004");
    }
}
