//! The inventory of AWS Application Migration Service (CSV): waves, apps and servers, and what they are to become.
//!
//! It says nothing of how large a server is; import it beside an export that does. Columns of the launch are kept as
//! labels: they are about the target, not about what runs today.

use carafe_model::finding::Finding;

use crate::delimited::Delimited;
use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::normalise;
use crate::raw::{At, RawEstate, RawHost};
use crate::table::{ColumnNames, Row, Table};
use crate::text::{known, one_line};

const COLUMNS: &[ColumnNames] = &[
    ("id", &["mgn:server:user-provided-id"]),
    ("fqdn", &["mgn:server:fqdn-for-action-framework"]),
    ("platform", &["mgn:server:platform"]),
    ("app", &["mgn:app:name"]),
    ("wave", &["mgn:wave:name"]),
];

/// Whether headings begin with the prefix that all of them have.
pub fn sniff(glance: &Glance<'_>) -> bool {
    matches!(&glance.form, Form::Table(found) if found.iter().any(|key| key.starts_with("mgn:")))
}

/// Reads an inventory. Rows of waves and apps alone name no server and are passed over.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let table = Delimited::open(file, findings).table(COLUMNS, |_| true, findings);
    let is_server = |row: &&Row| {
        table.cell(row, "id").is_some()
            || table.cell(row, "fqdn").is_some()
            || table.other_cells(row).any(|(heading, text, _)| is_address(heading) && known(text).is_some())
    };
    let hosts = table.rows.iter().filter(is_server).map(|row| host(&table, row)).collect();
    let mut estate = RawEstate { hosts, ..RawEstate::default() };
    estate.name_apps();
    Some(estate)
}

/// Whether a column holds an address of the server: `mgn:launch:nic:0:private-ip:0`.
fn is_address(heading: &str) -> bool {
    heading.contains(":nic:") && heading.contains(":private-ip:")
}

fn host(table: &Table, row: &Row) -> RawHost {
    const SERVER_TAG: &str = "mgn:server:tag:";
    let get = |column| table.text(row, column);
    let mut host = RawHost::new(format!("row {}", row.number), table.row_place(row));
    let ips: Vec<String> = table
        .other_cells(row)
        .filter(|(heading, _, _)| is_address(heading))
        .map(|(_, text, _)| text.to_owned())
        .collect();
    host.machine_id = get("id");
    host.name = get("fqdn")
        .or_else(|| get("id"))
        .or_else(|| Some(At::new(ips.first()?.clone(), table.row_place(row))));
    host.app = get("app").map(|at| at.map(|name| name.into()));
    host.os = get("platform").map(|at| at.map(|name| normalise::os(&name)));
    let nics = normalise::nics(&ips.join(";"), "");
    host.nics = (!nics.is_empty()).then(|| At::new(nics, table.row_place(row)));
    if let Some(wave) = get("wave") {
        host.labels.insert("wave".to_owned(), wave);
    }
    for (heading, text, place) in table.other_cells(row) {
        let Some(value) = known(text) else { continue };
        let label = match heading.strip_prefix(SERVER_TAG) {
            Some(tag) => one_line(tag),
            None => one_line(&heading.to_lowercase()),
        };
        host.labels.insert(label, At::new(one_line(value), place));
    }
    host
}
