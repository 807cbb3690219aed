//! An import that is killed leaves the previous catalog whole.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{carafe, card, done};

#[test]
fn a_killed_import_leaves_the_previous_catalog_or_the_next_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("writable");
    write("old.csv", card("acme", "r1", "USD", "2026-10-01", &[("a", "0.2")]));
    // Large enough that writing it takes a while.
    let machines: Vec<(String, String)> =
        (1..20_000).map(|n| (format!("m{n}"), format!("{}.{n:05}", n % 7 + 1))).collect();
    let machines: Vec<(&str, &str)> =
        machines.iter().map(|(name, price)| (name.as_str(), price.as_str())).collect();
    write("new.csv", card("acme", "r1", "USD", "2026-11-01", &machines));
    done(folder, &["catalog", "import", "old.csv", "--catalog", "before.db"]);
    let (mut killed, mut finished) = (0, 0);
    // Steps that double reach from before the first write to after the last, however fast the machine is.
    let delays = (0..40).map(|nth: u32| Duration::from_micros(500) * (1 + nth * nth / 2));
    for delay in delays {
        for name in ["catalog.db", "catalog.db-journal"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        std::fs::copy(folder.join("before.db"), folder.join("catalog.db")).expect("a copy");
        let mut import = Command::new(env!("CARGO_BIN_EXE_carafe"))
            .args(["catalog", "import", "new.csv", "--catalog", "catalog.db"])
            .current_dir(folder)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(delay);
        let _ = import.kill();
        let ended = import.wait().expect("it was ours");
        *(if ended.success() { &mut finished } else { &mut killed }) += 1;
        let history = carafe(folder, &["catalog", "history", "--catalog", "catalog.db", "--format", "json"]);
        assert!(history.status.success(), "after {delay:?}: {}", String::from_utf8_lossy(&history.stderr));
        let history: serde_json::Value = serde_json::from_slice(&history.stdout).expect("JSON");
        let revisions = history["revisions"].as_array().map_or(0, Vec::len);
        let shown = done(folder, &["catalog", "show", "--catalog", "catalog.db", "--format", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let offers = shown["catalog"]["offers"].as_u64();
        let expected = if revisions == 1 { 1 } else { machines.len() as u64 };
        assert_eq!(offers, Some(expected), "after {delay:?}, {revisions} revisions");
    }
    assert!(killed > 5, "killed {killed}, finished {finished}");
}
