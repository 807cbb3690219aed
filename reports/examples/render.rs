//! Renders a plan as HTML: `cargo run -p carafe-reports --example render -- PLAN.json OUT.html`, or with `--sample`,
//! `--hostile` or `--large HOSTS` in place of the plan to see what the tests render.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "an example reads and writes files")]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::error::Error;

use carafe_model::document;
use carafe_model::language::Language;
use carafe_model::plan::Plan;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (language, arguments) = match arguments[..] {
        ["--lang", code, ref rest @ ..] => {
            (Language::of_code(code).ok_or("no such language")?, rest.to_vec())
        }
        _ => (Language::ENGLISH, arguments),
    };
    let (plan, out) = match arguments[..] {
        ["--sample", out] => (fixture::sample(), out),
        ["--hostile", out] => (fixture::hostile(), out),
        ["--large", hosts, out] => (fixture::of_size(hosts.parse()?), out),
        [plan, out] => (read(plan)?, out),
        _ => {
            return Err(
                "usage: render [--lang CODE] PLAN.json|--sample|--hostile|--large HOSTS OUT.html".into()
            );
        }
    };
    std::fs::write(out, carafe_reports::html(&plan, language))?;
    print!("{}", carafe_reports::text(&plan, 100, language));
    Ok(())
}

fn read(file: &str) -> Result<Plan, Box<dyn Error>> {
    let (plan, findings) = document::read::<Plan>(file, &std::fs::read(file)?);
    let messages: Vec<String> =
        findings.iter().map(|finding| format!("{}: {}", finding.place, finding.summary)).collect();
    plan.ok_or_else(|| messages.join("\n").into())
}
