//! `carafe demo`.

use std::fs;
use std::path::{Path, PathBuf};

use carafe_model::language::{Language, figures};
use carafe_model::plan::Plan;
use clap::Parser;

use super::output::{Output, Tone};
use super::{Cli, Context};
use crate::error::{Error, Exit, plural};
use crate::files::{self, FileError};
use crate::inputs;
use crate::store::{Journal, SqliteJournal};

/// See the whole of it on a built-in estate
///
/// Imports the estate of a Korean ERP vendor, plans its move with the catalog that is built in, writes a report, rehearses
/// and simulates the move, and undoes it again. Nothing outside the folder is touched and no network is used. Each step
/// shows the command that does the same. A folder that an earlier demo made is made anew; any other folder that is not
/// empty is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe demo
  carafe demo /tmp/erp")]
pub(super) struct Args {
    /// The folder to put everything into
    #[arg(default_value = "carafe-demo", value_name = "DIR")]
    folder: PathBuf,
}

/// What the demo starts from.
const INPUTS: [(&str, &[u8]); 3] = [
    ("honeybee.json", include_bytes!("../../examples/korean-erp/honeybee.json")),
    ("annotations.json", include_bytes!("../../examples/korean-erp/annotations.json")),
    ("policy.toml", include_bytes!("../../examples/korean-erp/policy.toml")),
];

/// What the demo makes beside its inputs and its journal.
const OUTPUTS: [&str; 3] = ["estate.json", "plan.json", "report.html"];

/// What the journal and everything that stands beside it begin with: SQLite's own files, locks, the simulated cloud.
const JOURNAL: &str = "journal.";

/// Says that a folder is the demo's own.
const MARK: &str = ".carafe-demo";

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    prepare(&args.folder)?;
    let demo = Demo { folder: &args.folder, context };
    demo.import()?;
    demo.plan()?;
    demo.rehearse()?;
    let run = demo.apply()?;
    demo.destroy(&run)?;
    demo.farewell()?;
    Ok(Exit::Done)
}

/// Makes the folder hold the inputs and nothing else of the demo's.
fn prepare(folder: &Path) -> Result<(), Error> {
    let refused = |source| FileError::Unwritable { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(refused)?;
    let mark = folder.join(MARK);
    let is_empty = fs::read_dir(folder).map_err(refused)?.next().is_none();
    if !is_empty && !mark.is_file() {
        return Err(Error::failed(
            format!("{} is not empty and no demo made it", folder.display()),
            "name a folder that is empty or does not exist: carafe demo DIR",
        ));
    }
    files::write(&mark, b"Made by `carafe demo`, which may replace its own files here.\n")?;
    for path in files::list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if OUTPUTS.contains(&name.as_ref()) || name.starts_with(JOURNAL) {
            fs::remove_file(&path).map_err(|source| FileError::Unwritable { path: path.clone(), source })?;
        }
    }
    for (name, bytes) in INPUTS {
        files::write(&folder.join(name), bytes)?;
    }
    Ok(())
}

struct Demo<'a> {
    folder: &'a Path,
    context: &'a Context,
}

impl Demo<'_> {
    fn import(&self) -> Result<(), Error> {
        let (first, second) = (self.file("honeybee.json"), self.file("annotations.json"));
        let estate = self.file("estate.json");
        let kept = self.step(
            "Import what runs today",
            &["inventory", "import", &first, &second, "--name", "korean-erp", "-o", &estate],
        )?;
        self.say(&[&kept.line()])
    }

    fn plan(&self) -> Result<(), Error> {
        let (estate, policy) = (self.file("estate.json"), self.file("policy.toml"));
        let (plan, report) = (self.file("plan.json"), self.file("report.html"));
        self.step(
            "Find the cheapest home for every host, and prove it",
            &["plan", &estate, "--policy", &policy, "-o", &plan, "--report", &report],
        )?;
        let (plan, _) = inputs::document::<Plan>(plan.as_ref(), self.context.limit)?;
        let plan = inputs::usable(plan)?;
        let money = |amount| Language::ENGLISH.money(amount, plan.currency);
        let mut answer = format!(
            "{} placed and {}: {} a month",
            plural(plan.placements.len(), "host is", "hosts are"),
            plural(plan.staying.len(), "stays where it is", "stay where they are"),
            money(plan.totals.monthly)
        );
        if let Some(today) = &plan.today {
            answer.push_str(&format!(", where it is {} now", money(today.monthly)));
        }
        let proof = match plan.bound.proven {
            true => {
                format!("No placement can cost less than {} a month: proven.", money(plan.bound.lower_bound))
            }
            false => format!(
                "The gap to the lower bound is {}; it is not closed.",
                figures::percent(plan.bound.gap, Language::ENGLISH.signs())
            ),
        };
        self.say(&[&format!("{answer}."), &proof])
    }

    fn rehearse(&self) -> Result<(), Error> {
        let (plan, journal) = (self.file("plan.json"), self.file("journal.db"));
        let kept = self.step(
            "Rehearse the move without changing anything",
            &["apply", &plan, "--dry-run", "--simulate", "--journal", &journal],
        )?;
        self.say(&[&kept.line()])
    }

    /// Applies the plan and returns the run.
    fn apply(&self) -> Result<String, Error> {
        let (plan, journal) = (self.file("plan.json"), self.file("journal.db"));
        let kept = self.step(
            "Carry it out on a simulated cloud",
            &["apply", &plan, "--simulate", "--auto-approve", "--journal", &journal],
        )?;
        self.say(&[&kept.line()])?;
        let kept = self.step("Look at what was done", &["status", "--journal", &journal])?;
        self.say(&[&kept.line()])?;
        let runs = self.context.wait(async { SqliteJournal::open(journal.as_ref()).await?.runs().await })?;
        let last = runs.last().map(|run| run.run.to_string());
        last.ok_or_else(|| Error::failed("the journal holds no run", "remove the folder and try again"))
    }

    fn destroy(&self, run: &str) -> Result<(), Error> {
        let journal = self.file("journal.db");
        let kept = self.step(
            "Undo everything in reverse",
            &["destroy", run, "--simulate", "--auto-approve", "--journal", &journal],
        )?;
        self.say(&[&kept.line()])
    }

    fn farewell(&self) -> Result<(), Error> {
        let (estate, plan) = (self.file("estate.json"), self.file("plan.json"));
        let (policy, report) = (self.file("policy.toml"), self.file("report.html"));
        let journal = self.file("journal.db");
        let next = [
            self.typed(&["report", &plan]),
            self.typed(&["plan", &estate, "--policy", &policy, "--gap", "0", "--report", &report]),
            self.typed(&["apply", &plan, "--dry-run", "--simulate", "--journal", &journal]),
        ];
        self.context.out.data(&format!(
            "{}\n  {report}\n\n{}\n  {}\n",
            Tone::Strong.paint("The report"),
            Tone::Strong.paint("Try next"),
            next.join("\n  "),
        ))
    }

    /// A file of the demo, as a person types it.
    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// A command line as a person types it.
    fn typed(&self, words: &[&str]) -> String {
        let program = self.context.program.as_str();
        let line: Vec<String> = [program].iter().chain(words).map(|word| quoted(word)).collect();
        line.join(" ")
    }

    /// Shows a command under a title, runs it as if it had been typed, and keeps what it prints.
    fn step(&self, title: &str, words: &[&str]) -> Result<Printed, Error> {
        let title = Tone::Strong.paint(title);
        self.context.out.data(&format!("{title}\n  $ {}\n", self.typed(words)))?;
        let line = ["carafe"].iter().chain(words);
        let cli = Cli::try_parse_from(line).expect("the demo types what the program understands");
        let inner = Context {
            out: Output::keeping(),
            settings: self.context.settings.clone(),
            program: self.context.program.clone(),
            no_input: true,
            limit: self.context.limit,
            stop: self.context.stop.clone(),
        };
        let ended = super::run(cli.command, &inner);
        let kept = inner.out.into_kept();
        match ended {
            Ok(Exit::Done) => Ok(Printed(String::from_utf8_lossy(&kept.stdout).into_owned())),
            Ok(_) | Err(_) => {
                self.context.out.stderr(kept.stderr.trim_end());
                let unexpected = || {
                    Error::failed(
                        "the demo did not end as it should",
                        "run its last command alone to see why",
                    )
                };
                Err(ended.err().unwrap_or_else(unexpected))
            }
        }
    }

    fn say(&self, lines: &[&str]) -> Result<(), Error> {
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        self.context.out.data(&(lines + "\n"))
    }
}

/// What a command printed on standard output.
struct Printed(String);

impl Printed {
    /// Its last line, which is where commands say what came of it.
    fn line(&self) -> String {
        self.0.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
    }
}

/// A word as a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-=,:@%+".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
