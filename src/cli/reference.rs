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
            let page = with_examples(&String::from_utf8(page).expect("roff is text"));
            (hyphenated, page)
        })
        .collect()
}

/// Gives examples a heading of their own and keeps their lines apart.
fn with_examples(page: &str) -> String {
    let Some((before, rest)) = page.split_once(".SH EXTRA\nExamples:\n") else { return page.to_owned() };
    let (examples, after) = match rest.find("\n.SH ") {
        Some(end) => rest.split_at(end + 1),
        None => (rest, ""),
    };
    format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n{after}", examples.trim_end())
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

/// Every table of codes, under the name of the part of Carafe that finds them.
fn families() -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    /// Joins a summary and a remedy to two sentences.
    fn sentences(codes: &[(&'static str, &'static str, &'static str)]) -> Vec<(&'static str, String)> {
        let sentence = |text: &str| {
            let mut letters = text.chars();
            letters
                .next()
                .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        };
        codes
            .iter()
            .map(|(code, summary, help)| (*code, format!("{} {}", sentence(summary), sentence(help))))
            .collect()
    }
    let owned = |codes: &[(&'static str, &'static str)]| {
        codes.iter().map(|(code, text)| (*code, (*text).to_owned())).collect::<Vec<_>>()
    };
    vec![
        ("Files", sentences(&crate::files::CODES)),
        ("Documents", sentences(&carafe_model::document::CODES)),
        ("Plans", sentences(&carafe_model::plan_check::CODES)),
        ("Policy", sentences(&carafe_model::policy_file::CODES)),
        ("Scenarios", sentences(&carafe_model::policy_file::scenarios::CODES)),
        ("Catalog snapshots", sentences(&carafe_model::snapshot::CODES)),
        ("Catalog databases", sentences(&crate::catalogs::CODES)),
        ("Catalog import", owned(carafe_inventory::catalog::CODES)),
        ("Inventory", owned(carafe_inventory::CODES)),
        ("Live collection", owned(crate::collect::CODES)),
        ("Planner", owned(carafe_planner::CODES)),
        ("Carrying a plan out", sentences(&crate::executor::CODES)),
        ("Batches", sentences(&carafe_model::policy_file::manifest::CODES)),
        ("Comparisons", sentences(&super::compare::CODES)),
        ("Connections", sentences(&crate::drivers::connections::CODES)),
        ("Export to OpenTofu", sentences(&crate::opentofu::CODES)),
        ("Hooks", sentences(&crate::hooks::CODES)),
    ]
}

/// The text of `docs/errors.md`.
pub fn errors_page() -> String {
    let mut page = String::from(
        "# Codes\n\nGenerated from the program; do not edit. Renew it with\n\
         `CARAFE_UPDATE_DOCS=1 cargo test -p carafe --test docs`.\n\n\
         Every finding carries one of these codes, the place it is about, and what to do. A code never changes its \
         meaning.\n",
    );
    for (family, codes) in families() {
        page.push_str(&format!("\n## {family}\n\n| code | what it means and what to do |\n| --- | --- |\n"));
        for (code, text) in codes {
            page.push_str(&format!("| {code} | {} |\n", text.replace('|', "\\|")));
        }
    }
    page
}
