//! Every language says everything: no key is missing or left over, every code is explained, and no English is left in a
//! report in another language.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use carafe::cli::reference;
use carafe_model::document;
use carafe_model::language::Language;
use carafe_model::plan::Plan;
use carafe_reports::REPORTS;

/// Keys that the program puts together; what follows the prefix is a name of a document or of a catalog.
const PUT_TOGETHER: [&str; 9] = [
    "refused.",
    "term.",
    "item.",
    "reach.",
    "service.",
    "quality.",
    "format.currency.",
    "codes.",
    "compare.change.",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable folder").path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            sources(&path, found);
        } else if ["rs", "html", "svg", "css", "js"].contains(&extension) {
            found.push(path);
        }
    }
}

/// Every text between quotation marks that has the form of a key.
fn used_keys() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["model/src", "planner/src", "reports/src", "inventory/src", "src", "templates"] {
        sources(&root.join(folder), &mut files);
    }
    let mut keys = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a text of the repository");
        for quoted in text.split('"').skip(1) {
            let is_key = quoted.contains('.')
                && quoted
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b));
            if is_key {
                keys.insert(quoted.to_owned());
            }
        }
    }
    keys
}

#[test]
fn no_key_is_missing_and_none_is_left_over() {
    let used = used_keys();
    let known: BTreeSet<&str> = Language::ENGLISH.patterns().map(|(key, _)| key).collect();
    let sections: BTreeSet<&str> =
        known.iter().filter_map(|key| key.split_once('.')).map(|(s, _)| s).collect();
    let left_over: Vec<&&str> = known
        .iter()
        .filter(|key| !used.contains(**key) && !PUT_TOGETHER.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    assert!(left_over.is_empty(), "nothing says these: {left_over:?}");
    // A quoted text of that form that is no key belongs to a section that no language has, or names a file.
    let missing: Vec<&String> = used
        .iter()
        .filter(|key| key.split_once('.').is_some_and(|(section, _)| sections.contains(section)))
        .filter(|key| !known.contains(key.as_str()) && !key.ends_with('.'))
        .filter(|key| {
            ![".json", ".toml", ".html", ".css", ".csv", ".svg"].iter().any(|end| key.ends_with(end))
        })
        .collect();
    assert!(missing.is_empty(), "no language file has these: {missing:?}");
}

#[test]
fn every_code_is_explained_in_every_language() {
    let page = reference::errors_page();
    let codes: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|code| code.contains('-') && code.ends_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert!(codes.len() > 100);
    for language in Language::all().filter(|language| *language != Language::ENGLISH) {
        let known: BTreeSet<&str> =
            language.patterns().filter_map(|(key, _)| key.strip_prefix("codes.")).collect();
        let missing: Vec<_> = codes.difference(&known).collect();
        assert!(missing.is_empty(), "add to [codes] of {}.toml: {missing:?}", language.code());
        let left_over: Vec<_> = known.difference(&codes).collect();
        assert!(left_over.is_empty(), "take out of [codes] of {}.toml: {left_over:?}", language.code());
    }
}

/// Runs of three English words.
fn english(text: &str) -> Vec<String> {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    let words: Vec<&str> =
        text.split_whitespace().map(|w| w.trim_end_matches([',', '.', ';', ':'])).collect();
    words.windows(3).filter(|run| run.iter().all(|word| is_word(word))).map(|run| run.join(" ")).collect()
}

/// The text of a page without its markup, style and script.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let body = page.split_once("</style>").map_or(page, |(_, body)| body);
    let body = body.split_once("<script>").map_or(body, |(body, _)| body);
    for (place, piece) in body.split('<').enumerate() {
        let shown = if place == 0 { Some(piece) } else { piece.split_once('>').map(|(_, shown)| shown) };
        text.push_str(shown.unwrap_or_default());
        text.push(' ');
    }
    text
}

#[test]
fn no_english_is_left_in_a_korean_report() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .arg("demo")
        .arg(folder.path())
        .output()
        .expect("the program was just built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(folder.path().join("plan.json")).expect("the demo writes a plan");
    let plan = document::read::<Plan>("plan.json", &bytes).0.expect("a whole plan");
    // The words of the estate, the policy and the catalog are not ours to translate.
    let theirs: Vec<String> = plan
        .staying
        .iter()
        .map(|staying| staying.reason.to_string())
        .chain(plan.today.iter().map(|today| today.source.clone()))
        .chain(plan.price_sources.iter().flat_map(|s| [s.name.to_string(), s.quality.clone()]))
        .chain(plan.waves.iter().map(|wave| wave.name.replace([',', ':'], "")))
        .filter(|text| !text.is_empty())
        .collect();
    let korean = Language::of_code("ko").expect("there is Korean");
    for report in REPORTS.iter().filter(|report| report.name != "xlsx") {
        let written = String::from_utf8((report.render)(&plan, korean)).expect("a text");
        let mut shown = if report.name == "html" { text_of(&written) } else { written };
        if report.name == "text" || report.name == "markdown" {
            shown = shown.replace(['\\', '|'], " ");
        }
        for text in &theirs {
            shown = shown.replace(text.as_str(), " ");
        }
        let left = english(&shown);
        let from_theirs = |run: &String| theirs.iter().any(|text| text.contains(run.as_str()));
        let left: Vec<String> = left.into_iter().filter(|run| !from_theirs(run)).collect();
        assert!(left.is_empty(), "{}: {left:?}", report.name);
    }
}
