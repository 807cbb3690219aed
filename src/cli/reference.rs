//! The command line described from its own definition: the manual pages, `docs/cli.md` and `docs/errors.md`.

use clap_mangen::Man;

use super::command;
use crate::error::Exit;

/// Every command under its full name, parents before children, each complete with inherited options.
fn all_commands() -> Vec<(String, clap::Command)> {
    fn walk(name: &str, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        found.push((name.to_owned(), command.clone()));
        for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
            walk(&format!("{name} {}", child.get_name()), child, found);
        }
    }
    let mut root = command().disable_help_subcommand(true);
    root.build();
    let mut found = Vec::new();
    walk("carafe", &root, &mut found);
    found
}

/// One manual page for each command, by its name with hyphens, for example `carafe-inventory-import`.
pub fn manual_pages() -> Vec<(String, String)> {
    all_commands()
        .into_iter()
        .map(|(name, command)| {
            let hyphenated = name.replace(' ', "-");
            let mut page = Vec::new();
            Man::new(command).title(hyphenated.clone()).render(&mut page).expect("memory takes every byte");
            (hyphenated, String::from_utf8(page).expect("roff is text"))
        })
        .collect()
}

/// One manual page for the whole program: the page of `carafe`, then every command as a section.
pub fn manual() -> String {
    let mut pages = manual_pages().into_iter();
    let (_, mut manual) = pages.next().expect("the program itself");
    for (name, page) in pages {
        manual.push_str(&format!(".SH \"{}\"\n", name.replace('-', " ").to_uppercase()));
        let body = page.split_once(".SH DESCRIPTION\n").map_or("", |(_, body)| body);
        let body = body.split(".SH VERSION\n").next().unwrap_or_default();
        manual.push_str(&body.replace("\n.SH ", "\n.SS "));
    }
    manual
}

/// The text of `docs/cli.md`.
pub fn cli_page() -> String {
    let mut page = String::from(
        "# The command line\n\nGenerated from the program; do not edit. Renew it with\n\
         `CARAFE_UPDATE_DOCS=1 cargo test -p carafe --test docs`.\n\n\
         Data goes to standard output, everything else to standard error. Progress is drawn on a terminal only, and\n\
         nothing is asked without one.\n\n## Exit codes\n\n| code | meaning |\n| ---: | --- |\n",
    );
    for (exit, meaning) in Exit::ALL {
        page.push_str(&format!("| {} | {meaning} |\n", exit.code()));
    }
    for (name, command) in all_commands() {
        let help = command.term_width(100).color(clap::ColorChoice::Never).render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    }
    page
}
