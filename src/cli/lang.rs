//! The option of every command that says something to people in their language.

use carafe_model::language::{LANGUAGES, Language};

/// The language of what is written for people.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct LangArg {
    /// The language of the report: en for English, ko for Korean
    #[arg(long, default_value = "en", value_name = "LANGUAGE", value_parser = language)]
    pub lang: Language,
}

fn language(code: &str) -> Result<Language, String> {
    let known = || LANGUAGES.map(|(code, name, _)| format!("{code} ({name})")).join(", ");
    Language::of_code(code).ok_or_else(|| format!("the languages are {}", known()))
}
