//! What other tools export, and prices, when something is wrong with them.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::support::{Ended, Folder};

/// The example estate, as cm-honeybee exports it.
fn honeybee() -> Value {
    serde_json::from_str(include_str!("../../examples/korean-erp/honeybee.json"))
        .expect("the example is JSON")
}

/// The hosts of an export.
fn hosts(export: &mut Value) -> &mut Vec<Value> {
    export["onpremiseInfraModel"]["nodes"].as_array_mut().expect("an export has nodes")
}

/// Imports one file that must be refused, with nothing written.
#[track_caller]
fn refused(folder: &Folder, file: &str) -> Ended {
    let ended = folder.run(&format!("inventory import {file} -o estate.json"));
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(!folder.has("estate.json"), "no output file");
    assert!(ended.stderr.contains("nothing was written") && ended.stderr.contains("--fail-on never"));
    ended
}

/// Whether any finding of an error has a code of the inventory and this in its place.
#[track_caller]
fn placed(ended: &Ended, place: &str) {
    let mut lines = ended.stderr.lines();
    let found =
        std::iter::from_fn(|| lines.by_ref().find(|line| line.starts_with("error[")).map(|_| lines.next()))
            .flatten()
            .any(|line| line.contains("┌─") && line.contains(place));
    assert!(found, "no error with the place {place}\n{}", ended.stderr);
}

#[test]
fn the_example_is_imported_the_same_twice_and_through_a_pipe() {
    let folder = Folder::new();
    folder.write("honeybee.json", honeybee().to_string());
    folder.done("inventory import honeybee.json --name erp -o a.json");
    folder.done("inventory import honeybee.json --name erp -o b.json");
    assert_eq!(folder.read("a.json"), folder.read("b.json"));
    let piped = folder.done("inventory import honeybee.json --name erp");
    assert_eq!(piped.stdout, folder.read("a.json"));
    assert_eq!(folder.run("inventory import honeybee.json --format json").code, 2);
    let summary = folder.done("inventory import honeybee.json -o c.json --format json").json();
    assert_eq!(summary["written"], "c.json");
    assert_eq!(
        summary["estate_sha256"],
        carafe_model::document::sha256(folder.read("c.json").as_bytes()),
        "the hash a plan will name"
    );
    let checked = folder.done("inventory validate a.json");
    assert!(checked.stdout.starts_with("a.json: errors: 0"), "{}", checked.stdout);
}

#[test]
fn a_truncated_export_is_told_with_the_line_where_it_ends() {
    let folder = Folder::new();
    let text = serde_json::to_string_pretty(&honeybee()).unwrap();
    folder.write("cut.json", &text[..text.len() / 2]);
    placed(&refused(&folder, "cut.json"), "cut.json, row");
}

#[test]
fn a_negative_memory_is_told_with_its_pointer() {
    let folder = Folder::new();
    let mut export = honeybee();
    hosts(&mut export)[1]["memory"]["totalSize"] = json!(-16);
    folder.write("negative.json", export.to_string());
    placed(&refused(&folder, "negative.json"), "/onpremiseInfraModel/nodes/1/memory");
}

#[test]
fn a_host_name_that_repeats_is_told() {
    let folder = Folder::new();
    let mut export = honeybee();
    let twin = hosts(&mut export)[0]["hostname"].clone();
    hosts(&mut export)[1]["hostname"] = twin.clone();
    folder.write("twins.json", export.to_string());
    let ended = folder.run("inventory import twins.json -o estate.json --fail-on warning");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("INV-") && ended.stderr.contains(twin.as_str().unwrap()),
        "{}",
        ended.stderr
    );
    assert!(!folder.has("estate.json"));
    folder.write(
        "estate-in.json",
        r#"{"carafe": "estate/1", "name": "n", "hosts": [{"id": "a", "name": "a"}, {"id": "a", "name": "b"}]}"#,
    );
    let ended = folder.run("plan estate-in.json -o plan.json");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    placed(&ended, "estate-in.json, /hosts/1");
    assert!(!folder.has("plan.json"));
}

#[test]
fn a_host_name_of_a_megabyte_is_told_in_a_few_lines() {
    let folder = Folder::new();
    let mut export = honeybee();
    hosts(&mut export)[0]["hostname"] = json!("x".repeat(1 << 20));
    folder.write("long.json", export.to_string());
    let ended = refused(&folder, "long.json");
    placed(&ended, "/onpremiseInfraModel/nodes/0");
    assert!(ended.stderr.len() < 20_000, "{} bytes are said", ended.stderr.len());
}

#[test]
fn a_workbook_with_the_wrong_sheets_is_told() {
    let folder = Folder::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Budget").unwrap();
    sheet.write_string(0, 0, "Month").unwrap();
    folder.write("wrong.xlsx", book.save_to_buffer().unwrap());
    placed(&refused(&folder, "wrong.xlsx"), "wrong.xlsx");
    let ended = folder.run("inventory import wrong.xlsx --as rvtools -o estate.json");
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("vInfo"), "the sheet that is looked for is named\n{}", ended.stderr);
}

#[test]
fn a_negative_memory_in_a_workbook_is_told_with_sheet_row_and_column() {
    let folder = Folder::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("vInfo").unwrap();
    for (column, title) in ["VM", "Powerstate", "CPUs", "Memory"].into_iter().enumerate() {
        sheet.write_string(0, u16::try_from(column).unwrap(), title).unwrap();
    }
    for (row, (name, memory)) in [("web", 4096.0), ("db", -8192.0)].into_iter().enumerate() {
        let row = u32::try_from(row + 1).unwrap();
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_string(row, 1, "poweredOn").unwrap();
        sheet.write_number(row, 2, 2.0).unwrap();
        sheet.write_number(row, 3, memory).unwrap();
    }
    folder.write("rvtools.xlsx", book.save_to_buffer().unwrap());
    placed(&refused(&folder, "rvtools.xlsx"), "rvtools.xlsx, sheet \"vInfo\", row 3, column Memory");
    folder.done("inventory import rvtools.xlsx -o estate.json --fail-on never");
    assert_eq!(folder.json("estate.json")["hosts"].as_array().unwrap().len(), 2, "both hosts are kept");
}

#[test]
fn a_price_of_zero_is_told_and_never_taken() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("prices")).unwrap();
    for (name, text) in carafe_inventory::catalog::STARTER_FILES {
        let mut text = (*text).to_owned();
        if *name == "prices.csv" {
            let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
            let column =
                header.iter().position(|title| title.contains("hour") || title.contains("price")).unwrap();
            let first = text.lines().nth(1).unwrap().to_owned();
            let mut cells: Vec<&str> = first.split(',').collect();
            cells[column] = "0";
            text = text.replacen(&first, &cells.join(","), 1);
        }
        std::fs::write(folder.path("prices").join(name), text).unwrap();
    }
    let ended = folder.run("catalog import prices --as normalised -o c.snapshot --fail-on warning");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("CAT-") && ended.stderr.contains("prices.csv, row 2"), "{}", ended.stderr);
    assert!(!folder.has("c.snapshot"));
    let whole = folder.done("catalog show --format json").json()["catalog"]["offers"].clone();
    folder.done("catalog import prices --as normalised -o c.snapshot --fail-on never");
    let left =
        folder.done("catalog show --catalog c.snapshot --format json").json()["catalog"]["offers"].clone();
    assert_eq!(left.as_u64().unwrap() + 1, whole.as_u64().unwrap());
}
