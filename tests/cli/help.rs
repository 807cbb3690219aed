//! Help, completions, manual and schemas.

use crate::support::{Ended, Folder};

/// Every command by its words, as help lists them.
fn commands() -> Vec<String> {
    fn listed(help: &Ended) -> Vec<String> {
        let mut lines = help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
        lines
            .by_ref()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .collect()
    }
    let folder = Folder::new();
    let mut found = Vec::new();
    for command in listed(&folder.done("-h")) {
        let children = listed(&folder.done(&format!("{command} -h")));
        found.extend(children.iter().map(|child| format!("{command} {child}")));
        found.push(command);
    }
    found
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let folder = Folder::new();
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands {
        let help = folder.done(&format!("{command} --help"));
        let example = format!("Examples:\n  carafe {}", command.split(' ').next().unwrap());
        assert!(help.stdout.contains(&example), "carafe {command} --help shows no example\n{}", help.stdout);
        assert_eq!(help.stderr, "", "help is data");
    }
}

#[test]
fn a_wrong_command_line_is_told_with_the_nearest_right_one() {
    let folder = Folder::new();
    let typo = folder.run("inventry");
    assert_eq!((typo.code, typo.stdout.as_str()), (2, ""));
    assert!(typo.stderr.contains("inventory"), "{}", typo.stderr);
    for line in ["", "inventory", "schema", "schema invoice", "-v -q man", "--max-input-size 0 man"] {
        let ended = folder.run(line);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "carafe {line}");
    }
    assert!(folder.done("--version").stdout.starts_with("carafe "));
}

#[test]
fn schemas_are_json_schemas_of_the_documents() {
    let folder = Folder::new();
    for document in ["estate", "policy", "plan"] {
        let schema = folder.done(&format!("schema {document}")).json();
        assert!(schema["$schema"].as_str().is_some_and(|dialect| dialect.contains("2020-12")), "{document}");
        assert!(schema["properties"]["carafe"].is_object(), "{document}");
    }
}

#[test]
fn every_shell_gets_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.done(&format!("completions {shell}"));
        assert!(script.stdout.contains("carafe") && script.stdout.contains("inventory"), "{shell}");
    }
}

#[test]
fn the_manual_is_one_page_or_one_for_each_command() {
    let folder = Folder::new();
    let whole = folder.done("man").stdout;
    assert_eq!(whole.matches("\n.TH ").count(), 1, "one page has one title");
    std::fs::create_dir(folder.path("man1")).unwrap();
    folder.done("man --dir man1");
    for command in commands() {
        let section = format!(".SH \"CARAFE {}\"", command.to_uppercase());
        assert!(whole.contains(&section), "{section}");
        let page = folder.read(&format!("man1/carafe-{}.1", command.replace(' ', "-")));
        assert!(page.contains(".SH EXAMPLES"), "{command}");
    }
    folder.done("man --dir nowhere");
    assert!(folder.has("nowhere/carafe.1"), "a folder that is missing is made");
}
