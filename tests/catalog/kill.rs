//! An import or a sync that is killed leaves the previous catalog whole.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::web::{Says, Web};
use crate::{carafe, card, done};

/// As a rate card is a list of a provider too, machines with a price each.
fn machines() -> Vec<(String, String)> {
    (1..20_000).map(|n| (format!("m{n}"), format!("{}.{n:05}", n % 7 + 1))).collect()
}

/// Kills the command after ever longer delays; the catalog has one offer before it and `after` of them once it is done.
fn leaves_all_or_nothing(folder: &Path, command: &[&str], after: usize) {
    std::fs::write(folder.join("old.csv"), card("acme", "r1", "USD", "2026-10-01", &[("a", "0.2")]))
        .expect("writable");
    done(folder, &["catalog", "import", "old.csv", "--catalog", "before.db"]);
    let (mut killed, mut finished) = (0, 0);
    // Steps that grow reach from before the first write to after the last, however fast the machine is.
    let delays = (0..40).map(|nth: u32| Duration::from_micros(500) * (1 + nth * nth / 2));
    for delay in delays {
        for name in ["catalog.db", "catalog.db-journal"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        std::fs::copy(folder.join("before.db"), folder.join("catalog.db")).expect("a copy");
        let mut running = Command::new(env!("CARGO_BIN_EXE_carafe"))
            .args(command)
            .args(["--catalog", "catalog.db"])
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(delay);
        let _ = running.kill();
        let ended = running.wait().expect("it was ours");
        *(if ended.success() { &mut finished } else { &mut killed }) += 1;
        let history = carafe(folder, &["catalog", "history", "--catalog", "catalog.db", "--format", "json"]);
        assert!(history.status.success(), "after {delay:?}: {}", String::from_utf8_lossy(&history.stderr));
        let history: serde_json::Value = serde_json::from_slice(&history.stdout).expect("JSON");
        let revisions = history["revisions"].as_array().map_or(0, Vec::len);
        let shown = done(folder, &["catalog", "show", "--catalog", "catalog.db", "--format", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let offers = shown["catalog"]["offers"].as_u64();
        let expected = if revisions == 1 { 1 } else { after as u64 };
        assert_eq!(offers, Some(expected), "after {delay:?}, {revisions} revisions");
    }
    assert!(killed > 5, "killed {killed}, finished {finished}");
}

#[test]
fn a_killed_import_leaves_the_previous_catalog_or_the_next_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let machines = machines();
    let machines: Vec<(&str, &str)> =
        machines.iter().map(|(name, price)| (name.as_str(), price.as_str())).collect();
    // Large enough that writing it takes a while.
    std::fs::write(folder.join("new.csv"), card("acme", "r1", "USD", "2026-11-01", &machines))
        .expect("writable");
    leaves_all_or_nothing(folder, &["catalog", "import", "new.csv"], machines.len());
}

#[test]
fn a_killed_sync_leaves_the_previous_catalog_or_the_next_one_whole() {
    let products: Vec<String> = (0..5_000)
        .map(|n| {
            format!(
                r#""S{n}":{{"sku":"S{n}","productFamily":"Compute Instance","attributes":{{"regionCode":"r1","instanceType":"m{n}.large","vcpu":"2","memory":"8 GiB","tenancy":"Shared","capacitystatus":"Used","preInstalledSw":"NA","operatingSystem":"Linux"}}}}"#
            )
        })
        .collect();
    let terms: Vec<String> = (0..5_000)
        .map(|n| {
            format!(
                r#""S{n}":{{"S{n}.J":{{"priceDimensions":{{"d":{{"unit":"Hrs","pricePerUnit":{{"USD":"1.{n:04}"}}}}}}}}}}"#
            )
        })
        .collect();
    let offer = format!(
        r#"{{"offerCode":"AmazonEC2","publicationDate":"2026-11-20T00:00:00Z","products":{{{}}},"terms":{{"OnDemand":{{{}}}}}}}"#,
        products.join(","),
        terms.join(",")
    );
    let web = Web::start(move |asked| match asked.path.as_str() {
        "/offers/v1.0/aws/AmazonEC2/current/region_index.json" => {
            Says::ok(r#"{"regions":{"r1":{"regionCode":"r1","currentVersionUrl":"/list"}}}"#)
        }
        "/list" => Says::ok(offer.clone()),
        _ => Says::status(404),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["catalog", "sync", "aws", "--region", "r1", "--endpoint", &web.url];
    // The offer of before stays: it is of another provider.
    leaves_all_or_nothing(folder.path(), &command, 5_001);
}
