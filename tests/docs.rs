//! The pages that are made from the program say what the program says. `CARAFE_UPDATE_DOCS=1` renews them.

use std::path::{Path, PathBuf};

use carafe::cli::reference;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn check(page: &str, expected: &str) {
    let path = root().join("docs").join(page);
    if std::env::var_os("CARAFE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/{page} is stale; renew it with CARAFE_UPDATE_DOCS=1 cargo test -p carafe --test docs"
    );
}

#[test]
fn the_page_of_commands_is_what_the_program_says_about_itself() {
    check("cli.md", &reference::cli_page());
}

#[test]
fn the_page_of_codes_is_what_the_tables_say() {
    check("errors.md", &reference::errors_page());
}

/// Every code that any source text names, by a plain look at the text.
fn codes_in(folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            codes_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are text");
            found.extend(
                text.split('"').filter(|word| is_code(word)).map(|code| (code.to_owned(), path.clone())),
            );
        }
    }
}

/// Two to four capital letters, a hyphen, three or four digits.
fn is_code(word: &str) -> bool {
    word.split_once('-').is_some_and(|(letters, digits)| {
        (2..=4).contains(&letters.len())
            && letters.bytes().all(|letter| letter.is_ascii_uppercase())
            && (3..=4).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[test]
fn every_code_in_the_source_is_explained_once() {
    let page = reference::errors_page();
    let mut found = Vec::new();
    for folder in ["model/src", "inventory/src", "planner/src", "reports/src", "src"] {
        codes_in(&root().join(folder), &mut found);
    }
    assert!(found.len() > 30, "the look at the sources finds codes");
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|c| is_code(c))
        .collect();
    let unexplained: Vec<_> = found.iter().filter(|(code, _)| !explained.contains(&code.as_str())).collect();
    assert!(unexplained.is_empty(), "codes without a line in a table of codes: {unexplained:#?}");
    let mut unique = explained.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), explained.len(), "a code is explained twice");
}
