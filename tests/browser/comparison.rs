//! The pages of comparisons and batches in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::chromium::Chromium;
use crate::{PAPER, SCHEMES, WIDTHS, complaints, pages, pictures};

/// Two estates with hostile names, one broken file, and scenarios.
fn inputs(folder: &Path) {
    let estate = |name: &str, host: &str| {
        format!(
            r#"{{"carafe": "estate/1", "name": {}, "hosts": [
            {{"id": {}, "name": "a", "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64",
              "disks": [{{"name": "sda", "size_gib": 80}}]}},
            {{"id": "b", "name": "b", "vcpus": 2, "memory_mib": 4096, "architecture": "x86_64",
              "disks": [{{"name": "sda", "size_gib": 40}}]}}],
            "flows": [{{"from": {{"host": "b"}}, "to": {{"external": "internet"}}, "gib_month": "100"}}]}}"#,
            json!(name),
            json!(host)
        )
    };
    let hostile = "<img src=x onerror=alert(1)>'\"\u{202e}=1+1 서버 👩\u{200d}💻";
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a temporary file");
    std::fs::create_dir(folder.join("in")).expect("a temporary folder");
    write("in/shop.json", estate(hostile, "db-1"));
    write("in/서버 <b>'&.json", estate("second", &"long-name-".repeat(20)));
    write("in/cut.json", "{\"carafe\": \"estate/1\",".to_owned());
    write("in/any.toml", String::new());
    write("in/korea.toml", "[targets]\ncountries = [\"KR\"]\n".to_owned());
    write(
        "scenarios.toml",
        "[[scenario]]\nname = \"</title><b>Japan & only\"\npolicy.targets.countries = [\"JP\"]\n\
         [[scenario]]\nname = \"nowhere\"\npolicy.targets.countries = [\"AQ\"]\n\
         [generate]\nmax_providers = 1\nhorizon_months = [12, 24]\n"
            .to_owned(),
    );
}

fn carafe(folder: &Path, line: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .expect("the program was just built");
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 4)), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Pictures for people, and everything that is wrong with a page.
#[track_caller]
fn fit_to_hand_out(browser: &mut Chromium, page: &Path, name: &str) {
    let found = complaints(browser, page);
    for width in WIDTHS {
        for scheme in SCHEMES {
            browser.look(width, "screen", scheme);
            let picture = pictures().join(format!("{name}-{width}-{scheme}.png"));
            std::fs::write(picture, browser.screenshot()).expect("the target folder can be written");
        }
    }
    browser.look(PAPER, "", "dark");
    let pdf = pictures().join(format!("{name}.pdf"));
    std::fs::write(&pdf, browser.print()).expect("the target folder can be written");
    assert!(!pages(&pdf).is_empty());
    assert!(found.is_empty(), "{name}: {} complaints:\n{}", found.len(), found.join("\n"));
}

#[test]
fn comparisons_are_fit_to_hand_out_in_both_languages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    inputs(folder.path());
    let mut browser = Chromium::start();
    for language in ["en", "ko"] {
        let line = "compare --scenarios scenarios.toml in/shop.json --policy in/korea.toml --plans plans";
        carafe(folder.path(), &format!("{line} --report many.html --lang {language}"));
        fit_to_hand_out(&mut browser, &folder.path().join("many.html"), &format!("many-{language}"));
        let mut plans: Vec<PathBuf> = std::fs::read_dir(folder.path().join("plans"))
            .expect("the plans")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        plans.sort();
        let two: Vec<String> = plans.iter().take(2).map(|path| path.display().to_string()).collect();
        carafe(folder.path(), &format!("compare {} --report two.html --lang {language}", two.join(" ")));
        fit_to_hand_out(&mut browser, &folder.path().join("two.html"), &format!("two-{language}"));
    }
}

#[test]
fn the_index_of_a_batch_sorts_and_its_links_lead_to_reports() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    inputs(folder.path());
    carafe(folder.path(), "batch in -o out");
    let mut browser = Chromium::start();
    let index = folder.path().join("out/index.html");
    fit_to_hand_out(&mut browser, &index, "batch");
    browser.look(1600, "screen", "light");
    browser.open(&index);
    let links = browser.evaluate("[...document.querySelectorAll('tbody th a')].map((a) => decodeURIComponent(new URL(a.href).pathname))");
    let links = links.as_array().expect("a list");
    assert_eq!(links.len(), 4, "{links:?}");
    for link in links {
        assert!(Path::new(link.as_str().expect("a path")).is_file(), "{link} leads nowhere");
    }
    let months =
        "[...document.querySelectorAll('.sortable tbody tr')].map((row) => row.cells[5].dataset.key)";
    let click = "document.querySelectorAll('.sortable thead button')[5].click()";
    browser.evaluate(&format!("{click}; 1"));
    let ascending = browser.evaluate(months);
    browser.evaluate(&format!("{click}; 1"));
    let descending = browser.evaluate(months);
    let figures = |value: &serde_json::Value| -> Vec<f64> {
        let texts = value.as_array().expect("a list").iter().filter_map(|text| text.as_str());
        texts.filter(|text| !text.is_empty()).map(|text| text.parse().expect("a number")).collect()
    };
    let (up, down) = (figures(&ascending), figures(&descending));
    assert!(up.len() == 4 && up.is_sorted() && up[0] < up[3], "{up:?}");
    assert!(down.iter().rev().is_sorted(), "{down:?}");
}
