//! The snapshot file: one line of JSON that says what it is, then the catalog's columns.
//!
//! ```text
//! {"carafe":"snapshot/3","id":"starter-2026-11","sha256":"…","bytes":183204,…}\n
//! <postcard encoding of Snapshot, exactly `bytes` long>
//! ```
//!
//! The hash is of the columns alone. `head -1` tells a person what the file holds; see `docs/formats/snapshot.md`.

pub(crate) mod columns;
mod version_2;

use serde::{Deserialize, Serialize};

use crate::catalog::{Offers, PriceSource, Snapshot};
use crate::document::sha256;
use crate::finding::{Finding, Place};
use crate::idx::{Idx, IdxVec};

const HEADER: &str = "snapshot/3";
/// A version that is no longer written, and read for ever: plans name such files by their hash.
const HEADER_2: &str = "snapshot/2";

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
        Some(HEADER | HEADER_2) => {}
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
    let catalog: Snapshot = match header.carafe == HEADER_2 {
        true => postcard::from_bytes::<version_2::Snapshot2>(columns).map_err(|_| damaged())?.into(),
        false => postcard::from_bytes(columns).map_err(|_| damaged())?,
    };
    if !is_whole(&catalog) {
        return Err(damaged());
    }
    Ok(SealedSnapshot { catalog, sha256: header.sha256 })
}

/// Whether every place that something names is there: the hash tells a damaged file, not one that was made to mislead.
fn is_whole(catalog: &Snapshot) -> bool {
    fn all<T>(places: impl IntoIterator<Item = Idx<T>>, of: &IdxVec<T>) -> bool {
        places.into_iter().map(Idx::raw).max().is_none_or(|last| (last as usize) < of.len())
    }
    let offers = &catalog.offers;
    let rows = offers.len();
    let lengths = [
        offers.instance_type.len(),
        offers.source.len(),
        offers.on_demand.len(),
        offers.spot.len(),
        offers.one_year.len(),
        offers.three_years.len(),
        offers.one_year_flex.len(),
        offers.three_years_flex.len(),
        offers.windows.len(),
        offers.windows_source.len(),
    ];
    let (regions, sources) = (&catalog.regions, &catalog.sources);
    lengths.iter().all(|length| *length == rows)
        && all(regions.iter().map(|region| region.provider), &catalog.providers)
        && all(catalog.instance_types.iter().map(|kind| kind.provider), &catalog.providers)
        && all(catalog.licences.iter().map(|licence| licence.provider), &catalog.providers)
        && all(offers.instance_type.iter().copied(), &catalog.instance_types)
        && all(offers.region.iter().copied(), regions)
        && all(catalog.disks.iter().map(|price| price.region), regions)
        && all(catalog.transfers.iter().map(|price| price.region), regions)
        && all(catalog.services.iter().map(|price| price.region), regions)
        && all(catalog.unit_prices.iter().map(|price| price.region), regions)
        && all(catalog.latencies.iter().flat_map(|latency| [latency.from, latency.to]), regions)
        && all(catalog.certifications.iter().map(|held| held.region), regions)
        && all(offers.source.iter().copied(), sources)
        && all(with_windows(offers), sources)
        && all(catalog.disks.iter().map(|price| price.source), sources)
        && all(catalog.transfers.iter().map(|price| price.source), sources)
        && all(catalog.services.iter().map(|price| price.source), sources)
        && all(catalog.licences.iter().map(|price| price.source), sources)
        && all(catalog.unit_prices.iter().map(|price| price.source), sources)
}

/// The sources of Windows rates that are there; the others mean nothing.
fn with_windows(offers: &Offers) -> impl Iterator<Item = Idx<PriceSource>> {
    offers
        .windows_source
        .iter()
        .zip(&offers.windows)
        .filter(|(_, rate)| rate.0 > 0)
        .map(|(source, _)| *source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{DiskPrice, Provider, Region};
    use crate::host::Media;
    use crate::ids::{ProviderName, RegionName};
    use crate::units::Rate;

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
        assert_eq!(open("c", b"{\"carafe\":\"snapshot/4\"}\n").expect_err("newer").code, "CAT-0002");
        assert_eq!(open("c", b"{\"carafe\":\"snapshot/1\"}\n").expect_err("older").code, "CAT-0004");
    }

    /// A file as `seal` writes it, with other columns and another version.
    fn file(version: &str, columns: &[u8]) -> Vec<u8> {
        let (_, whole) = seal(sample());
        let line = whole.split(|byte| *byte == b'\n').next().expect("a header");
        let mut header: serde_json::Value = serde_json::from_slice(line).expect("JSON");
        header["carafe"] = version.into();
        header["sha256"] = sha256(columns).into();
        header["bytes"] = columns.len().into();
        [serde_json::to_vec(&header).expect("JSON"), b"\n".to_vec(), columns.to_vec()].concat()
    }

    fn with_an_offer() -> Snapshot {
        let mut catalog = sample();
        catalog.sources =
            vec![PriceSource { name: "s".into(), as_of: "2026".into(), quality: String::new() }].into();
        catalog.providers = vec![Provider { name: ProviderName("p".into()) }].into();
        catalog.regions = vec![Region {
            provider: Idx::new(0),
            name: RegionName("r".into()),
            display: String::new(),
            country: "KR".into(),
            zones: Vec::new(),
            coordinates: None,
        }]
        .into();
        catalog.disks = vec![DiskPrice {
            region: Idx::new(0),
            class: "d".into(),
            media: Media::Ssd,
            gib_month: Rate(1),
            smallest_gib: 0,
            largest_gib: 0,
            source: Idx::new(0),
        }];
        catalog
    }

    #[test]
    fn a_file_of_version_2_keeps_its_hash_and_its_prices() {
        let catalog = with_an_offer();
        let columns = postcard::to_stdvec(&version_2::Snapshot2::from(catalog.clone())).expect("memory");
        let opened = open("c", &file("snapshot/2", &columns)).expect("an old file");
        assert_eq!((opened.catalog, opened.sha256), (catalog, sha256(&columns)));
    }

    #[test]
    fn a_file_that_names_what_it_does_not_hold_is_refused() {
        let open = |catalog: &Snapshot| {
            let columns = postcard::to_stdvec(catalog).expect("memory");
            open("c", &file(HEADER, &columns)).map_err(|refused| refused.code)
        };
        assert!(open(&with_an_offer()).is_ok());
        let refused = Err("CAT-0003".to_owned());
        let mut catalog = with_an_offer();
        catalog.disks[0].region = Idx::new(1);
        assert_eq!(open(&catalog).map(|_| ()), refused);
        let mut catalog = with_an_offer();
        catalog.disks[0].source = Idx::new(7);
        assert_eq!(open(&catalog).map(|_| ()), refused);
        let mut catalog = with_an_offer();
        catalog.offers.spot.push(Rate(1));
        assert_eq!(open(&catalog).map(|_| ()), refused);
    }
}
