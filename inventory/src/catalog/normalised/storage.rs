//! The table `storage`: block storage by class.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use carafe_model::catalog::{DiskPrice, Provider, Region};
use carafe_model::finding::{Finding, Severity};
use carafe_model::host::Media;
use carafe_model::idx::Idx;
use carafe_model::units::Rate;

use super::base::{Base, PlaceColumns, Precision};
use super::cells::{SourceColumns, Zero, price, priced_twice};
use crate::catalog::findings::{Findings, clip};
use crate::catalog::sources::Sources;
use crate::catalog::table::{Column, Row, Table};

/// A kind of disk that price lists name: what Carafe calls it, what it is made of, and the sizes sold.
struct Class {
    provider: &'static str,
    service: &'static str,
    disk_type: &'static str,
    name: &'static str,
    media: Media,
    smallest_gib: u32,
    largest_gib: u32,
}

const fn class(
    [provider, service, disk_type, name]: [&'static str; 4],
    media: Media,
    smallest_gib: u32,
    largest_gib: u32,
) -> Class {
    Class { provider, service, disk_type, name, media, smallest_gib, largest_gib }
}

/// Every kind of disk that counts as the disk of a server. Left out on purpose: classes that cannot be had without a
/// charge per operation or per provisioned operation (`io1`, `io2`, `standard (magnetic)`, Ultra, `pd-extreme`,
/// hyperdisk, IBM `custom`), cold storage (`sc1`), disks that do not outlive the machine, regional pairs, snapshots,
/// object and file storage, and prices for a month paid in advance. Sizes are the providers' documented limits.
const CLASSES: &[Class] = &[
    class(["aws", "EBS", "gp3", "gp3"], Media::Ssd, 1, 16_384),
    class(["aws", "EBS", "gp2", "gp2"], Media::Ssd, 1, 16_384),
    class(["aws", "EBS", "st1", "st1"], Media::Hdd, 125, 16_384),
    // Azure sells fixed sizes at one price each; the tier that stands for a class is the nearest to a server's disk for
    // which there is a figure. Larger and smaller tiers cost within a tenth of the same per GiB.
    class(["azure", "Managed Disks LRS", "Premium SSD P10 (128 GiB)", "Premium SSD"], Media::Ssd, 4, 32_767),
    class(
        ["azure", "Managed Disks LRS", "Standard SSD E30 (1024 GiB)", "Standard SSD"],
        Media::Ssd,
        4,
        32_767,
    ),
    class(
        ["azure", "Managed Disks LRS", "Standard HDD S10 (128 GiB)", "Standard HDD"],
        Media::Hdd,
        32,
        32_767,
    ),
    class(["gcp", "Persistent Disk", "pd-balanced", "pd-balanced"], Media::Ssd, 10, 65_536),
    class(["gcp", "Persistent Disk", "pd-ssd", "pd-ssd"], Media::Ssd, 10, 65_536),
    class(["gcp", "Persistent Disk", "pd-standard", "pd-standard"], Media::Hdd, 10, 65_536),
    class(["alibaba", "EBS", "ESSD PL0 (pay-as-you-go)", "ESSD PL0"], Media::Ssd, 1, 65_536),
    class(["alibaba", "EBS", "ESSD PL1 (pay-as-you-go)", "ESSD PL1"], Media::Ssd, 20, 65_536),
    // A spinning disk behind a cache, in spite of its name.
    class(
        ["tencent", "CBS", "Premium Cloud Disk (pay-as-you-go)", "Premium Cloud Disk"],
        Media::Hdd,
        10,
        32_000,
    ),
    class(["tencent", "CBS", "Balanced SSD (pay-as-you-go)", "Balanced SSD"], Media::Ssd, 20, 32_000),
    class(["tencent", "CBS", "SSD (pay-as-you-go)", "SSD"], Media::Ssd, 20, 32_000),
    class(["tencent", "CBS", "Enhanced SSD (pay-as-you-go)", "Enhanced SSD"], Media::Ssd, 20, 32_000),
    class(
        ["ibm", "Block Storage for VPC", "general-purpose 3 IOPS/GB", "general-purpose"],
        Media::Ssd,
        10,
        16_000,
    ),
    class(["ibm", "Block Storage for VPC", "5iops-tier", "5iops-tier"], Media::Ssd, 10, 9_600),
    class(["ibm", "Block Storage for VPC", "10iops-tier", "10iops-tier"], Media::Ssd, 10, 4_800),
    // Oracle recommends it for what elsewhere runs on spinning disks: large sequential work.
    class(["oci", "Block Volume", "Lower Cost (0 VPU)", "Lower Cost"], Media::Hdd, 50, 32_768),
    class(["oci", "Block Volume", "Balanced (10 VPU)", "Balanced"], Media::Ssd, 50, 32_768),
    class(
        ["oci", "Block Volume", "Higher Performance (20 VPU)", "Higher Performance"],
        Media::Ssd,
        50,
        32_768,
    ),
];

/// Reads the tables; the disks come sorted by region and class.
pub(super) fn read(
    tables: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Vec<DiskPrice> {
    let mut disks: BTreeMap<(Idx<Region>, String), (Precision, DiskPrice)> = BTreeMap::new();
    for table in tables {
        let place_columns = PlaceColumns::of(table);
        let source_columns = SourceColumns::of(table);
        let class_columns = ClassColumns::of(table);
        let rate_column = table.column("usd_per_gb_month");
        table.rows(findings, |row, findings| {
            let Some(class) = class_columns.read(row, place_columns.provider, findings) else { return };
            let Some(gib_month) = price(row, rate_column, Zero::Wrong, findings).known() else { return };
            let (precision, regions) = base.regions_of(row, place_columns, findings);
            let Some(source) = source_columns.read(row, &[], sources, findings) else { return };
            for region in regions {
                let disk = DiskPrice {
                    region,
                    class: class.name.to_owned(),
                    media: class.media,
                    gib_month,
                    smallest_gib: class.smallest_gib,
                    largest_gib: class.largest_gib,
                    source,
                };
                let Some((known_precision, known)) = disks.get_mut(&(region, disk.class.clone())) else {
                    disks.insert((region, disk.class.clone()), (precision, disk));
                    continue;
                };
                let rank = |disk: &DiskPrice| (sources.as_of(disk.source).to_owned(), disk.gib_month);
                let order = precision.cmp(known_precision);
                if order == Ordering::Equal {
                    findings.push(priced_twice(row, class_columns.disk_type));
                }
                if order.then_with(|| rank(&disk).cmp(&rank(known))) == Ordering::Greater {
                    (*known_precision, *known) = (precision, disk);
                }
            }
        });
    }
    let disks: Vec<DiskPrice> = disks.into_values().map(|(_, disk)| disk).collect();
    suspect_slips(&disks, base, findings);
    disks
}

/// How many regions must have a price of a class before one of them can stand out.
const ENOUGH_REGIONS: usize = 5;
/// How many times the median a price may be, and what part of it. Between real regions it stays within twice.
const PLAUSIBLE_RATIO: i64 = 4;

/// Reports prices that are far from what the same class costs in the provider's other regions: a decimal point slips
/// easily. They stay in use, since nothing tells the right figure.
fn suspect_slips(disks: &[DiskPrice], base: &Base, findings: &mut Findings) {
    let mut by_class: BTreeMap<(Idx<Provider>, &str), Vec<&DiskPrice>> = BTreeMap::new();
    for disk in disks {
        by_class.entry((base.regions[disk.region].provider, &disk.class)).or_default().push(disk);
    }
    for ((provider, class), mut of_class) in by_class {
        if of_class.len() < ENOUGH_REGIONS {
            continue;
        }
        of_class.sort_by_key(|disk| disk.gib_month);
        let median = of_class[of_class.len() / 2].gib_month.0;
        for disk in of_class {
            let rate = disk.gib_month.0;
            if rate / PLAUSIBLE_RATIO > median || rate < median / PLAUSIBLE_RATIO {
                let place = format!("{}/{}", base.providers[provider].name, base.regions[disk.region].name);
                let median = Rate(median);
                let summary =
                    format!("{place}: {class} costs {} per GiB, elsewhere about {median}", disk.gib_month);
                let help = "a decimal point may have slipped in the source; check it before relying on it";
                findings.push(Finding::warning("CAT-1304", summary).help(help));
            }
        }
    }
}

/// The columns that tell the class of a disk.
#[derive(Clone, Copy)]
struct ClassColumns {
    service: Column,
    disk_type: Column,
    media: Column,
    smallest: Column,
    largest: Column,
}

/// What a row says of a class of disk.
struct Told<'a> {
    name: &'a str,
    media: Media,
    smallest_gib: u32,
    largest_gib: u32,
}

impl ClassColumns {
    fn of(table: &Table<'_>) -> ClassColumns {
        ClassColumns {
            service: table.column("service"),
            disk_type: table.column("disk_type"),
            media: table.column("media"),
            smallest: table.column("smallest_gib"),
            largest: table.column("largest_gib"),
        }
    }

    /// The class of a row: what the row says when it names its medium, else what [`CLASSES`] knows.
    fn read<'a>(&self, row: &'a Row<'_>, provider: Column, findings: &mut Findings) -> Option<Told<'a>> {
        let (service, disk_type) = (row.text(self.service), row.text(self.disk_type));
        let media = match row.text(self.media) {
            "ssd" => Media::Ssd,
            "hdd" => Media::Hdd,
            "" => {
                let known = CLASSES.iter().find(|class| {
                    (class.provider, class.service, class.disk_type)
                        == (row.text(provider), service, disk_type)
                });
                if known.is_none() {
                    let summary = "storage that is no plain block storage of a server was not loaded";
                    let name = format!("{} {}", clip(row.text(provider)), clip(disk_type));
                    findings.tally("CAT-1301", Severity::Info, summary, row.file, &name);
                }
                return known.map(|class| Told {
                    name: class.name,
                    media: class.media,
                    smallest_gib: class.smallest_gib,
                    largest_gib: class.largest_gib,
                });
            }
            _ => {
                let finding = row.error("CAT-1302", self.media, "disks of an unknown medium are left out");
                findings.push(finding.help("write ssd or hdd"));
                return None;
            }
        };
        if disk_type.is_empty() {
            let finding = row.error("CAT-1302", self.disk_type, "disks without a name are left out");
            findings.push(finding.help("name the class of disk"));
            return None;
        }
        let mut size = |column: Column| match row.text(column) {
            "" => 0,
            text => text.parse().unwrap_or_else(|_| {
                let finding =
                    row.warning("CAT-1303", column, "a size of disk cannot be read; used as unknown");
                findings.push(finding.help("write whole GiB"));
                0
            }),
        };
        Some(Told {
            name: disk_type,
            media,
            smallest_gib: size(self.smallest),
            largest_gib: size(self.largest),
        })
    }
}
