//! A comparison as one self-contained HTML file that runs no script and asks for nothing from outside.

use askama::Template;
use carafe_model::comparison::{Comparison, Fate, Front, Line, LineChange};
use carafe_model::language::{Language, Said, figures};
use carafe_model::units::Money;
use carafe_model::what_if::Axis;

use super::matrix::{Group, Row, Teller, whole};
use super::text::{change_word, fate_in_words};
use crate::draw::front::{self, Dot};
use crate::render::html::base64_of_sha256;
use crate::views::{blocks, sum};
use crate::words::visible;

pub(crate) const STYLE: &str = include_str!("../../../templates/compare/page.css");

/// Of more plans than these a list stands before the matrix, which is wider than a screen then.
const MOST_BESIDE: usize = 4;

/// The most hosts of one block, so that a browser lays out only those that are looked at.
const BLOCK: usize = 100;

#[derive(Template)]
#[template(path = "compare/page.html")]
struct Page<'a> {
    lang: Language,
    style: &'a str,
    style_hash: String,
    name: String,
    lead: String,
    notices: Vec<&'a str>,
    infeasible: Vec<String>,
    heads: Vec<Head>,
    groups: Vec<Group>,
    overview: Vec<Row>,
    why: Vec<Row>,
    fronts: Vec<FrontView>,
    hosts_lead: String,
    hosts: Vec<HostBlock>,
    shared: Vec<HostBlock>,
    lives: Vec<LiveView>,
}

struct Head {
    name: String,
    changes: Vec<String>,
}

struct FrontView {
    title: String,
    axis: &'static str,
    svg: String,
    points: Vec<PointView>,
}

struct PointView {
    number: usize,
    name: String,
    value: String,
    monthly: String,
    is_best: bool,
}

struct HostBlock {
    title: String,
    rows: Vec<HostRow>,
}

struct HostRow {
    name: String,
    cells: Vec<HostCell>,
}

#[derive(Default)]
struct HostCell {
    what: String,
    note: String,
    money: String,
    change: String,
    lines: Vec<LineView>,
}

struct LineView {
    component: &'static str,
    before: String,
    before_rate: String,
    after: String,
    after_rate: String,
    costs_more: String,
}

struct LiveView {
    name: String,
    counts: String,
    rows: Vec<(String, String, String)>,
    beyond: Vec<String>,
}

/// Writes a comparison as HTML.
pub fn html(comparison: &Comparison, language: Language) -> String {
    let teller = Teller { comparison, language };
    let infeasible = comparison.columns.iter().filter_map(|column| {
        let why = teller.sentence(column.infeasible.as_ref()?);
        Some(
            language.say(&Said::new("compare.infeasible").with("name", teller.name(column)).with("why", why)),
        )
    });
    let hosts_lead = Said::new("compare.hosts-differ")
        .with("n", comparison.hosts.len())
        .with("alike", comparison.hosts_alike);
    let rows = comparison.hosts.iter().map(|host| HostRow {
        name: visible(host.host.as_str()),
        cells: host.fates.iter().map(|fate| host_cell(&teller, fate.as_ref())).collect(),
    });
    let shared = comparison.shared.iter().map(|shared| HostRow {
        name: visible(&shared.subject),
        cells: shared.columns.iter().map(|changes| changed(&teller, HostCell::default(), changes)).collect(),
    });
    let page = Page {
        lang: language,
        style: STYLE,
        style_hash: base64_of_sha256(STYLE),
        name: visible(&comparison.name),
        lead: teller.lead(),
        notices: teller.notices(),
        infeasible: infeasible.collect(),
        heads: heads(&teller),
        groups: teller.groups(),
        overview: if comparison.columns.len() > MOST_BESIDE { teller.overview().0 } else { Vec::new() },
        why: teller.why(),
        fronts: comparison
            .fronts
            .iter()
            .enumerate()
            .map(|(place, front)| front_view(&teller, place, front))
            .collect(),
        hosts_lead: language.say(&hosts_lead),
        hosts: in_blocks(language, rows.collect()),
        shared: in_blocks(language, shared.collect()),
        lives: lives(&teller),
    };
    page.render().expect("writing to a string does not fail")
}

fn heads(teller: &Teller<'_>) -> Vec<Head> {
    let is_scenarios = teller.comparison.columns.iter().any(|column| !column.changes.is_empty());
    let columns = teller.comparison.columns.iter().map(|column| {
        let mut changes: Vec<String> = column.changes.iter().map(|change| visible(change)).collect();
        if is_scenarios && changes.is_empty() {
            changes.push(teller.language.word("compare.unchanged").to_owned());
        }
        Head { name: teller.name(column), changes }
    });
    columns.collect()
}

fn in_blocks(language: Language, rows: Vec<HostRow>) -> Vec<HostBlock> {
    let block = |block: crate::views::Block<HostRow>| {
        let said = Said::new("compare.hosts-range").with("first", block.first).with("last", block.last);
        HostBlock { title: language.say(&said), rows: block.items }
    };
    blocks(rows, BLOCK).into_iter().map(block).collect()
}

fn host_cell(teller: &Teller<'_>, fate: Option<&Fate>) -> HostCell {
    let Some(fate) = fate else {
        return HostCell { what: teller.language.word("compare.no-plan").to_owned(), ..HostCell::default() };
    };
    let cell = match fate {
        Fate::Placed { provider, region, offer, term, monthly, .. } => HostCell {
            what: visible(&format!("{provider}/{region}")),
            note: visible(&format!("{offer}, {term}")),
            money: teller.money(*monthly),
            ..HostCell::default()
        },
        Fate::Staying { .. } | Fate::Unplaced { .. } | Fate::Unknown { .. } => {
            HostCell { what: fate_in_words(teller, fate), ..HostCell::default() }
        }
    };
    changed(teller, cell, fate.changes())
}

fn changed(teller: &Teller<'_>, mut cell: HostCell, changes: &[LineChange]) -> HostCell {
    let none = || teller.language.word("compare.none").to_owned();
    let in_words = |line: &Option<Line>| match line {
        Some(line) => {
            let signs = teller.language.signs();
            let product = format!(
                "{} × {} {}",
                figures::quantity(line.quantity, signs),
                figures::rate(line.rate, teller.comparison.currency, signs),
                visible(&line.unit)
            );
            (format!("{}: {product}", teller.sentence(&line.item)), visible(line.rate_id.as_str()))
        }
        None => (none(), String::new()),
    };
    cell.lines = changes
        .iter()
        .map(|change| {
            let ((before, before_rate), (after, after_rate)) =
                (in_words(&change.before), in_words(&change.after));
            let component = teller.component(change.component);
            let costs_more = teller.change(change.costs_more);
            LineView { component, before, before_rate, after, after_rate, costs_more }
        })
        .collect();
    let more: Money = sum(changes.iter().map(|change| change.costs_more));
    cell.change = teller.change(more);
    cell
}

fn front_view(teller: &Teller<'_>, place: usize, front: &Front) -> FrontView {
    let (title, axis) = match front.axis {
        Axis::Providers => ("compare.front-providers", "compare.axis-providers"),
        Axis::Regions => ("compare.front-regions", "compare.axis-regions"),
        Axis::Latency => ("compare.front-latency", "compare.axis-latency"),
    };
    let language = teller.language;
    let name = |column: u32| {
        teller.comparison.columns.get(column as usize).map(|column| teller.name(column)).unwrap_or_default()
    };
    let points: Vec<PointView> = front
        .points
        .iter()
        .map(|point| PointView {
            number: point.column as usize + 1,
            name: name(point.column),
            value: figures::quantity(point.value, language.signs()),
            monthly: teller.money(point.monthly),
            is_best: point.is_on_front,
        })
        .collect();
    let description: Vec<String> = points
        .iter()
        .map(|point| {
            let said = Said::new("compare.front-point")
                .with("name", point.name.as_str())
                .with("value", point.value.as_str())
                .with("money", point.monthly.as_str());
            language.say(&said)
        })
        .collect();
    let dots: Vec<Dot> = front
        .points
        .iter()
        .map(|point| Dot {
            value: whole(point.value),
            money: point.monthly,
            label: (point.column + 1).to_string(),
            is_best: point.is_on_front,
        })
        .collect();
    let (title, axis) = (language.word(title), language.word(axis));
    let drawn = front::Words { title, axis, description: description.join("; ") };
    let svg = front::front(&format!("front-{place}"), &drawn, &dots, |amount| {
        figures::count(usize::try_from(amount.0 / 1_000_000_000).unwrap_or_default(), language.signs())
    });
    FrontView { title: title.to_owned(), axis, svg, points }
}

fn lives(teller: &Teller<'_>) -> Vec<LiveView> {
    let language = teller.language;
    let columns = &teller.comparison.columns;
    let live = teller.comparison.live.iter().map(|live| LiveView {
        name: columns.get(live.column as usize).map(|column| teller.name(column)).unwrap_or_default(),
        counts: live
            .counts
            .iter()
            .map(|count| format!("{}: {}.", change_word(language, &count.change), count.steps))
            .collect::<Vec<_>>()
            .join(" "),
        rows: live
            .steps
            .iter()
            .map(|step| {
                let details = visible(&step.details.join("; "));
                (visible(step.step.as_str()), change_word(language, &step.change), details)
            })
            .collect(),
        beyond: live
            .beyond
            .iter()
            .map(|beyond| visible(&format!("{}/{}/{}", beyond.region, beyond.kind, beyond.name)))
            .collect(),
    });
    live.collect()
}
