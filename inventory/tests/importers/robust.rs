//! No bytes make an import panic, hang or swell.

use std::io::{Cursor, Write};

use carafe_inventory::{IMPORTERS, InputFile, import};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use crate::support::{check, import_all};
use crate::{clouds, tables};

pub const HONEYBEE: &str = include_str!("../../../examples/korean-erp/honeybee.json");
pub const ANNOTATIONS: &str = include_str!("../../../examples/korean-erp/annotations.json");

const CONTENT_TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const ROOT_RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="vInfo" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const STRINGS: &str = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>VM</t></si><si><t>CPUs</t></si><si><t>Memory</t></si></sst>"#;
const SHEET: &str = r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2"><v>2</v></c><c r="C2"><v>2048</v></c></row></sheetData></worksheet>"#;

/// A workbook made of the XML of its one sheet and its shared texts.
fn workbook(sheet: &[u8], strings: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes()),
        ("_rels/.rels", ROOT_RELS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS.as_bytes()),
        ("xl/sharedStrings.xml", strings),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        archive.start_file(name, SimpleFileOptions::default()).expect("a member");
        archive.write_all(content).expect("memory");
    }
    archive.finish().expect("an archive").into_inner()
}

/// A workbook with one machine.
pub fn sound_workbook() -> Vec<u8> {
    workbook(SHEET.as_bytes(), STRINGS.as_bytes())
}

/// Every importer reads the bytes, whatever they look like.
fn read_by_all(bytes: &[u8]) {
    let file = InputFile { name: "f", bytes };
    for importer in IMPORTERS {
        import(&[file], Some(importer.name), "test");
    }
    import(&[file, file], None, "test");
}

/// A small file of every format that is text, as its own tests have it.
pub fn samples() -> Vec<Vec<u8>> {
    let machine = serde_json::json!({"id": "i-1", "private_ip": "10.0.0.5", "vpc_security_group_ids": ["sg-1"],
        "root_block_device": [{"volume_id": "vol-1", "volume_size": 20}]});
    let group = serde_json::json!({"id": "sg-1", "ingress": [{"from_port": 1, "to_port": 2, "protocol": "tcp",
        "cidr_blocks": ["10.0.0.0/8"]}]});
    let state = clouds::state(&[
        clouds::resource("aws_instance", "a", &[machine]),
        clouds::resource("aws_security_group", "g", &[group]),
    ]);
    let servers = serde_json::json!({"servers": [{"id": "1", "name": "a", "tenant_id": "t", "flavor": {"vcpus": 4,
        "ram": 8192, "disk": 80}, "image": {"id": "i"}, "addresses": {"n": [{"addr": "10.0.0.9"}]}}]});
    let answer = serde_json::json!({"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "on"},
        "CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}, "SecurityGroups": [{"GroupId": "g"}]}]}],
        "Volumes": [{"VolumeId": "v", "Size": 8}]});
    let mut samples: Vec<Vec<u8>> = [state, servers, answer, clouds::node("n", "worker"), clouds::facts()]
        .iter()
        .map(|value| value.to_string().into_bytes())
        .collect();
    let texts =
        [tables::AZURE, tables::VM_INFO, tables::DISK_INFO, tables::V_INFO, tables::V_DISK, clouds::DOMAIN];
    samples.extend(texts.map(|text| text.as_bytes().to_vec()));
    samples.push(format!("{}{}", tables::VM_INFO, tables::perf_info()).into_bytes());
    samples.push(tables::perf_info().into_bytes());
    samples
}

/// Sets bytes at places, both taken from the whole range.
fn mutate(bytes: &[u8], changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, new) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *new;
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), prop::sample::select(&b"\0\x1f\"{}[]<>&/=,.-09AZz:\xff"[..])),
        1..12,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2_000), start in 0..5usize) {
        let starts: [&[u8]; 5] = [b"", b"{", b"{\"carafe\": \"estate/1\",", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];
        read_by_all(&[starts[start], &bytes].concat());
    }

    #[test]
    fn truncated_documents_are_survived(cut in any::<prop::sample::Index>()) {
        for text in [HONEYBEE, ANNOTATIONS] {
            read_by_all(&text.as_bytes()[..cut.index(text.len())]);
        }
    }

    #[test]
    fn mutated_documents_are_survived(changes in changes()) {
        for text in [HONEYBEE, ANNOTATIONS] {
            read_by_all(&mutate(text.as_bytes(), &changes));
        }
    }

    #[test]
    fn mutated_and_truncated_files_of_every_format_are_survived(
        changes in changes(),
        cut in any::<prop::sample::Index>(),
        which in any::<prop::sample::Index>(),
    ) {
        let samples = samples();
        let sample = which.get(&samples);
        read_by_all(&mutate(sample, &changes));
        read_by_all(&sample[..cut.index(sample.len())]);
    }

    #[test]
    fn mutated_and_truncated_workbooks_are_survived(changes in changes(), cut in any::<prop::sample::Index>()) {
        let whole = sound_workbook();
        read_by_all(&mutate(&whole, &changes));
        read_by_all(&whole[..cut.index(whole.len())]);
    }

    #[test]
    fn mutated_sheets_inside_sound_workbooks_are_survived(changes in changes()) {
        read_by_all(&workbook(&mutate(SHEET.as_bytes(), &changes), STRINGS.as_bytes()));
        read_by_all(&workbook(SHEET.as_bytes(), &mutate(STRINGS.as_bytes(), &changes)));
    }
}

#[test]
fn the_workbook_of_these_tests_is_sound() {
    let but = ["INV-3006", "INV-1211"];
    let estate = check(&[("a.xlsx", &sound_workbook())], &but, &[]);
    assert_eq!(estate.expect("an estate").hosts[0].id.as_str(), "a");
}

#[test]
fn a_workbook_that_unpacks_beyond_measure_is_refused() {
    let padded = [SHEET.as_bytes(), &vec![b' '; 40 << 20]].concat();
    let bytes = workbook(&padded, STRINGS.as_bytes());
    assert!(bytes.len() < 100_000, "it is small when packed");
    assert!(check(&[("a.xlsx", &bytes)], &[], &["error INV-3004 a.xlsx"]).is_none());
}

#[test]
fn one_long_text_in_many_cells_is_refused() {
    let long = STRINGS.replace("<si><t>CPUs", &format!("<si><t>{}</t></si><si><t>CPUs", "x".repeat(30_000)));
    let rows: String = (2..3_000)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>1</v></c></row>"))
        .collect();
    let sheet = SHEET
        .replace("<v>1</v>", "<v>2</v>")
        .replace("<v>2</v></c></row><row r=\"2\">", "<v>3</v></c></row><row r=\"2\">");
    let sheet = sheet.replace("</sheetData>", &format!("{rows}</sheetData>"));
    let bytes = workbook(sheet.as_bytes(), long.as_bytes());
    assert!(check(&[("a.xlsx", &bytes)], &[], &["error INV-3004 a.xlsx, sheet \"vInfo\""]).is_none());
}

#[test]
fn cells_at_the_far_end_of_a_sheet_take_no_room() {
    let far = r#"<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>far</t></is></c><c r="XFD1048576"><v>7</v></c></row></sheetData>"#;
    let sheet = SHEET.replace("</sheetData>", far);
    let found = import_all(&[("a.xlsx", &workbook(sheet.as_bytes(), STRINGS.as_bytes()))]);
    assert_eq!(found.estate.expect("an estate").hosts.len(), 2);
}

#[test]
fn deep_nesting_is_refused_as_syntax() {
    let deep = format!("{{\"onpremiseInfraModel\": {}", "[".repeat(200_000));
    assert!(
        check(&[("a.json", deep.as_bytes())], &[], &["error DOC-001 a.json, row 1, column 151"]).is_none()
    );
}

#[test]
fn a_name_of_many_megabytes_is_one_short_finding() {
    let text =
        format!(r#"{{"onpremiseInfraModel": {{"nodes": [{{"hostname": "{}"}}]}}}}"#, "h".repeat(20 << 20));
    let found = import_all(&[("a.json", text.as_bytes())]);
    let codes: Vec<&str> = found.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["INV-1202", "INV-1007", "INV-1218"]);
    assert!(found.findings.iter().all(|finding| finding.summary.len() < 200));
}

/// Twenty thousand hosts of one name, in two files: finding them again and numbering them stays linear.
#[test]
fn many_hosts_of_one_name_are_merged_in_no_quadratic_time() {
    let nodes: Vec<String> =
        (0..20_000).map(|number| format!(r#"{{"hostname": "same", "machineId": "m-{number}"}}"#)).collect();
    let text = format!(r#"{{"onpremiseInfraModel": {{"nodes": [{}]}}}}"#, nodes.join(","));
    let found = import_all(&[("a.json", text.as_bytes()), ("b.json", text.as_bytes())]);
    assert_eq!(found.estate.expect("an estate").hosts.len(), 20_000);
}
