//! A run, or what a run would do, as one self-contained HTML file.
//!
//! Whoever carries plans out says what there is to say as a [`RunPage`], in words and already in order; this writes it
//! down. As with every report, all text counts as hostile, and the file asks for nothing from outside.

use askama::Template;

use crate::render::html::base64_of_sha256;

const STYLE: &str = include_str!("../../templates/html/run.css");

/// What a page about a run says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPage {
    /// What it is about, for example `Run 20261120-093015-5f0c21aa`.
    pub title: String,
    /// How it stands, in a sentence.
    pub lead: String,
    /// The command that goes on, where there is one.
    pub next: Option<String>,
    /// Names and figures at a glance.
    pub facts: Vec<(String, String)>,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<RunFinding>,
    /// The steps, wave by wave.
    pub waves: Vec<RunWave>,
    /// What happened, in order; empty where nothing did.
    pub log: Vec<RunEntry>,
}

/// Something wrong or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFinding {
    /// Its code.
    pub code: String,
    /// What is wrong.
    pub summary: String,
    /// What to do.
    pub help: String,
}

/// The steps of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunWave {
    /// What it is called.
    pub title: String,
    /// Its steps.
    pub steps: Vec<RunStep>,
}

/// How a step stands, or what would become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStep {
    /// Its name.
    pub step: String,
    /// How it stands, in a word or two.
    pub state: String,
    /// How good that is.
    pub tone: Tone,
    /// More about it.
    pub details: Vec<String>,
}

/// How good something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Somebody should look.
    Care,
    /// Wrong.
    Bad,
}

impl Tone {
    /// The name of its style.
    const fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Plain => "plain",
            Tone::Care => "care",
            Tone::Bad => "bad",
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// When, in UTC.
    pub at: String,
    /// To which step.
    pub step: String,
    /// What.
    pub what: String,
}

#[derive(Template)]
#[template(path = "html/run.html")]
struct Page<'a> {
    style: &'a str,
    style_hash: String,
    page: &'a RunPage,
}

/// Writes the page.
pub fn run_html(page: &RunPage) -> String {
    Page { style: STYLE, style_hash: base64_of_sha256(STYLE), page }
        .render()
        .expect("writing to a string does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text_and_nothing_comes_from_outside() {
        let evil = "<script>alert(1)</script><img src=x onerror=y>".to_owned();
        let page = RunPage {
            title: evil.clone(),
            lead: evil.clone(),
            next: Some(evil.clone()),
            facts: vec![(evil.clone(), evil.clone())],
            findings: vec![RunFinding { code: evil.clone(), summary: evil.clone(), help: evil.clone() }],
            waves: vec![RunWave {
                title: evil.clone(),
                steps: vec![RunStep {
                    step: evil.clone(),
                    state: evil.clone(),
                    tone: Tone::Bad,
                    details: vec![evil.clone()],
                }],
            }],
            log: vec![RunEntry { at: evil.clone(), step: evil.clone(), what: evil }],
        };
        let html = run_html(&page);
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(!html.contains("http://") && !html.contains("https://"));
        assert_eq!(html.matches("&#60;script&#62;").count(), 16);
    }
}
