//! The only place that prints: data to standard output, everything else to standard error.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anstream::AutoStream;
use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use terminal_size::Width;

use crate::error::Error;
use crate::files::{self, FileError};
use crate::settings::Settings;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always, also into files and pipes
    Always,
    /// Never
    Never,
}

impl ColorWhen {
    /// What the arguments ask for, before they are parsed: the parser's own messages need it.
    pub fn of_arguments(arguments: &[OsString]) -> Option<ColorWhen> {
        let texts = || arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
        let joined = texts().find_map(|text| text.strip_prefix("--color="));
        let apart = || texts().skip_while(|text| *text != "--color").nth(1);
        ColorWhen::from_str(joined.or_else(apart)?, false).ok()
    }

    /// The same for the parser of arguments.
    pub fn to_clap(self, settings: &Settings) -> clap::ColorChoice {
        match self {
            ColorWhen::Always => clap::ColorChoice::Always,
            ColorWhen::Auto if !settings.plain => clap::ColorChoice::Auto,
            ColorWhen::Auto | ColorWhen::Never => clap::ColorChoice::Never,
        }
    }

    fn on(self, settings: &Settings, is_terminal: bool) -> anstream::ColorChoice {
        match self {
            ColorWhen::Always => anstream::ColorChoice::AlwaysAnsi,
            ColorWhen::Auto if is_terminal && !settings.plain => anstream::ColorChoice::Always,
            ColorWhen::Auto | ColorWhen::Never => anstream::ColorChoice::Never,
        }
    }
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something wrong.
    Error,
    /// Something doubtful.
    Warning,
    /// Something worth knowing.
    Info,
    /// A line that frames others.
    Frame,
    /// A title.
    Strong,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Tone::Error => AnsiColor::Red.on_default().bold(),
            Tone::Warning => AnsiColor::Yellow.on_default().bold(),
            Tone::Info => AnsiColor::Cyan.on_default().bold(),
            Tone::Frame => AnsiColor::Blue.on_default(),
            Tone::Strong => Style::new().bold(),
        }
    }

    /// The text in its colour; streams that want none take it out again.
    pub fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// What a command printed while nobody looked.
#[derive(Debug, Default)]
pub struct Kept {
    /// To standard output.
    pub stdout: Vec<u8>,
    /// To standard error.
    pub stderr: String,
}

/// Where a command prints.
#[derive(Debug)]
pub struct Output {
    /// Set while one command runs another and keeps what it prints.
    kept: Option<Mutex<Kept>>,
    stdout_color: anstream::ColorChoice,
    stderr_color: anstream::ColorChoice,
    columns: Option<u16>,
    quiet: bool,
    verbose: bool,
}

impl Output {
    /// The streams of this process.
    pub fn new(settings: &Settings, color: ColorWhen, quiet: bool, verbose: bool) -> Output {
        Output {
            kept: None,
            stdout_color: color.on(settings, io::stdout().is_terminal()),
            stderr_color: color.on(settings, io::stderr().is_terminal()),
            columns: settings.columns,
            quiet,
            verbose,
        }
    }

    /// Keeps everything instead of printing it.
    pub fn keeping() -> Output {
        Output {
            kept: Some(Mutex::default()),
            stdout_color: anstream::ColorChoice::Never,
            stderr_color: anstream::ColorChoice::Never,
            columns: None,
            quiet: false,
            verbose: false,
        }
    }

    /// What was kept; nothing when it was printed.
    pub fn into_kept(self) -> Kept {
        let kept = self.kept.unwrap_or_default();
        kept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything is to be said.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether progress may be drawn.
    pub fn draws_progress(&self) -> bool {
        !self.quiet && self.kept.is_none() && io::stderr().is_terminal()
    }

    /// Columns of the terminal that standard output goes to; 100 when it goes elsewhere.
    pub fn width(&self) -> usize {
        const ELSEWHERE: usize = 100;
        let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(Width(columns), _)| columns);
        self.columns.or_else(terminal).map_or(ELSEWHERE, |columns| usize::from(columns).max(40))
    }

    /// Prints data. Whoever closes the pipe has read enough: that is no failure.
    ///
    /// # Errors
    /// When standard output cannot be written to, for example because a disk is full.
    pub fn data(&self, text: &str) -> Result<(), Error> {
        if self.stdout_color == anstream::ColorChoice::Never {
            return self.bytes(anstream::adapter::strip_str(text).to_string().as_bytes());
        }
        self.bytes(text.as_bytes())
    }

    /// Prints bytes as they are.
    fn bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).stdout.extend_from_slice(bytes);
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(FileError::Unwritable { path: PathBuf::from("standard output"), source }.into())
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Prints a value as indented JSON.
    ///
    /// # Errors
    /// As [`Output::data`].
    pub fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value).expect("string keys and no failing parts");
        // JSON lets some control characters stand as they are, but only inside strings, where an escape says the same.
        let mut safe = String::with_capacity(text.len() + 1);
        for character in text.chars() {
            match character.is_control() && character != '\n' {
                true => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
                false => safe.push(character),
            }
        }
        safe.push('\n');
        self.bytes(safe.as_bytes())
    }

    /// Writes a document to a file, or prints it for `-`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn document(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        if files::is_standard_stream(path) {
            // Byte for byte: no colour is taken out of a document.
            return self.bytes(bytes);
        }
        files::write(path, bytes)?;
        Ok(())
    }

    /// Says a line on standard error, unless told to be quiet.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.stderr(line);
        }
    }

    /// Says a line on standard error when told to say more.
    pub fn detail(&self, line: &str) {
        if self.verbose {
            self.stderr(line);
        }
    }

    /// Says on standard error why a command ends as it does.
    pub fn error(&self, error: &Error) {
        match error.to_finding() {
            Some(finding) => self.stderr(&super::findings::describe(&finding)),
            None => {
                let help =
                    error.help().map(|help| format!("\n  = help: {}", clean(&help))).unwrap_or_default();
                self.stderr(&format!("{}: {}{help}", Tone::Error.paint("error"), clean(&error.to_string())));
            }
        }
    }

    /// Says a line on standard error even when quiet.
    pub fn stderr(&self, line: &str) {
        if let Some(kept) = &self.kept {
            let plain = anstream::adapter::strip_str(line).to_string();
            kept.lock().unwrap_or_else(PoisonError::into_inner).stderr.push_str(&(plain + "\n"));
            return;
        }
        let mut stderr = AutoStream::new(io::stderr(), self.stderr_color).lock();
        // Nobody is left to tell when standard error cannot be written to.
        let _ = writeln!(stderr, "{line}").and_then(|()| stderr.flush());
    }
}

/// Text from outside made safe for a terminal: control characters and characters that turn the direction of writing
/// are shown as escapes, and a very long text is cut.
pub fn clean(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut safe = String::with_capacity(text.len().min(LONGEST));
    for (place, character) in text.chars().enumerate() {
        if place == LONGEST {
            safe.push('…');
            break;
        }
        let turns =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns || matches!(character, '\u{2028}' | '\u{2029}') {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_steer_a_terminal() {
        assert_eq!(clean("db\u{1b}[2J\u{7}\r\n한국"), "db\\u{1b}[2J\\u{7}\\r\\n한국");
        assert_eq!(clean("\u{202e}gnp.exe\u{9b}"), "\\u{202e}gnp.exe\\u{9b}");
        assert_eq!(clean(&"x".repeat(1_000_000)).chars().count(), 401);
    }

    #[test]
    fn json_says_the_same_without_control_characters() {
        let out = Output::keeping();
        let value = serde_json::json!({ "name": "a\u{9b}2Jb\u{7f}" });
        out.json(&value).expect("kept");
        let printed = String::from_utf8(out.into_kept().stdout).expect("text");
        assert!(!printed.chars().any(|character| character.is_control() && character != '\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).expect("JSON"), value);
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_cleaned_holds_a_control_character(text in ".*") {
            proptest::prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }

    #[test]
    fn the_colour_flag_is_found_before_arguments_are_parsed() {
        let of =
            |text: &str| ColorWhen::of_arguments(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("carafe --color=never plan"), Some(ColorWhen::Never));
        assert_eq!(of("carafe plan --color always"), Some(ColorWhen::Always));
        assert_eq!(of("carafe plan --color"), None);
        assert_eq!(of("carafe plan"), None);
    }
}
