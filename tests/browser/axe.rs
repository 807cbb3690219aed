//! axe-core, the accessibility checker of Deque, fetched from the npm registry when the tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::chromium::Chromium;

/// The version that judges; a newer one may find more.
const VERSION: &str = "4.10.3";

/// The script, fetched once for a target folder.
///
/// # Panics
/// With the reason, when it cannot be had: a check that is not made does not pass.
fn script() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("axe-core-{VERSION}"));
    let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        let output = Command::new("npm")
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("axe-core@{VERSION}"))
            .output()
            .expect("npm is not installed: apt-get install nodejs npm");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "axe-core cannot be had from the npm registry:\n{said}");
    }
    std::fs::read_to_string(file).expect("npm has put it there")
}

/// Everything axe-core holds against the open page by the rules of WCAG 2.2, levels A and AA, and its best practices.
pub fn violations(browser: &mut Chromium) -> Vec<String> {
    browser.evaluate(&format!("{};undefined", script()));
    let tags = r#"["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]"#;
    let found = browser.evaluate(&format!(
        "axe.run(document, {{ runOnly: {{ type: 'tag', values: {tags} }}, resultTypes: ['violations'] }}).then((found) => found.violations)"
    ));
    let violation = |violation: &Value| {
        let nodes = violation["nodes"].as_array().map_or(0, Vec::len);
        format!(
            "{}: {} ({nodes} times, first {})",
            violation["id"].as_str().unwrap_or_default(),
            violation["help"].as_str().unwrap_or_default(),
            violation["nodes"][0]["html"]
        )
    };
    found.as_array().expect("axe returns a list").iter().map(violation).collect()
}
