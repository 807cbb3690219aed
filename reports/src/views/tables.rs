//! The report as tables: the one set of figures that the spreadsheet, the CSV files, the JSON document and the Markdown
//! text are all written from.

use carafe_model::plan::{BillLine, Placement};
use carafe_model::units::{Money, Quantity, Rate};

use super::answer::{Answer, Comparison};
use super::months::Months;
use super::sensitivity::Sensitivity;
use super::{costs, road};
use crate::voice::Voice;
use crate::words;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What files and documents call it.
    pub name: &'static str,
    /// What people call it.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What documents call it; the same in every language.
    pub key: &'static str,
    /// Its head.
    pub title: String,
}

/// A cell. Texts are as they came; every form makes them harmless in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to say, or nothing known.
    Empty,
    /// A text.
    Text(String),
    /// A whole number.
    Count(u64),
    /// An amount of the plan's currency.
    Money(Money),
    /// A price of a unit in the plan's currency.
    Rate(Rate),
    /// A quantity.
    Quantity(Quantity),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::from(text.as_str())
    }
}

impl From<Money> for Cell {
    fn from(amount: Money) -> Cell {
        Cell::Money(amount)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        Cell::Count(number)
    }
}

/// Every table, in the order of the report.
pub fn tables(voice: &Voice<'_>) -> Vec<Table> {
    vec![
        summary(voice),
        costs(voice),
        placements(voice),
        left(voice),
        bill(voice),
        flows(voice),
        waves(voice),
        steps(voice),
        over_time(voice),
        sensitivity(voice),
        findings(voice),
        sources(voice),
        assumptions(voice),
    ]
}

fn columns<const N: usize>(voice: &Voice<'_>, columns: [(&'static str, &str); N]) -> Vec<Column> {
    columns.map(|(key, title)| Column { key, title: voice.x(title, voice.plan.currency.code()) }).to_vec()
}

fn summary(voice: &Voice<'_>) -> Table {
    let plan = voice.plan;
    let totals = &plan.totals;
    let row = |key: &'static str, value: Cell| {
        vec![Cell::from(key), Cell::from(voice.x(summary_label(key), plan.currency.code())), value]
    };
    let today = Comparison::new(plan);
    let answer = Answer::new(voice);
    let mut rows = vec![
        row("name", plan.name.as_str().into()),
        row("currency", plan.currency.code().into()),
        row("monthly", totals.monthly.into()),
        row("monthly_low", totals.monthly_low.into()),
        row("monthly_high", totals.monthly_high.into()),
        row("one_time", totals.one_time.into()),
        row("horizon_months", u64::from(totals.horizon_months).into()),
        row("horizon", totals.horizon.into()),
    ];
    if let Some(today) = today {
        rows.push(row("today", today.today.into()));
        rows.push(row("saved", today.saved.into()));
        rows.push(row("saved_over_horizon", today.saved_over_horizon.into()));
    }
    rows.extend([
        row("lower_bound", plan.bound.lower_bound.into()),
        row("gap", Cell::Quantity(plan.bound.gap)),
        row("proof", answer.proof.headline.into()),
        row("placed", (plan.placements.len() as u64).into()),
        row("staying", (plan.staying.len() as u64).into()),
        row("unplaced", (plan.unplaced.len() as u64).into()),
        row("catalog", plan.catalog.id.as_str().into()),
        row("catalog_sha256", plan.catalog.sha256.as_str().into()),
        row("estate_sha256", plan.estate_sha256.as_str().into()),
        row("policy_sha256", plan.policy_sha256.as_str().into()),
    ]);
    let columns = columns(voice, [("key", "sheet.key"), ("what", "table.what"), ("value", "sheet.value")]);
    Table { name: "summary", title: voice.w("sheet.summary").to_owned(), columns, rows }
}

/// The key of what a row of the summary says.
fn summary_label(key: &str) -> &'static str {
    match key {
        "name" => "sheet.name",
        "currency" => "sheet.currency",
        "monthly" => "method.total",
        "monthly_low" => "sheet.low",
        "monthly_high" => "sheet.high",
        "one_time" => "sheet.one-time",
        "horizon_months" => "sheet.months",
        "horizon" => "sheet.horizon",
        "today" => "sheet.today",
        "saved" => "sheet.saved",
        "saved_over_horizon" => "sheet.saved-horizon",
        "lower_bound" => "method.lower-bound",
        "gap" => "method.gap",
        "proof" => "answer.proof",
        "placed" => "sheet.placed",
        "staying" => "left.staying",
        "unplaced" => "left.unplaced",
        "catalog" => "method.snapshot",
        "catalog_sha256" => "method.snapshot-hash",
        "estate_sha256" => "method.estate-hash",
        _ => "method.policy-hash",
    }
}

fn costs(voice: &Voice<'_>) -> Table {
    let mut rows = Vec::new();
    for split in costs::splits(voice) {
        for part in split.parts {
            rows.push(vec![split.by.into(), split.head.into(), part.label.into(), part.monthly.into()]);
        }
    }
    let columns = columns(
        voice,
        [("by", "sheet.key"), ("split", "sheet.split"), ("part", "table.what"), ("monthly", "table.monthly")],
    );
    Table { name: "costs", title: voice.w("nav.costs").to_owned(), columns, rows }
}

fn placements(voice: &Voice<'_>) -> Table {
    let row = |p: &Placement| {
        let (next, more) = match &p.runner_up {
            Some(next) => (
                format!("{}/{} {}", next.provider, next.region, next.offer).into(),
                Cell::Money(next.costs_more),
            ),
            None => (Cell::Empty, Cell::Empty),
        };
        let disks: Vec<String> = p
            .disks
            .iter()
            .map(|disk| {
                let class = disk.class.as_deref().unwrap_or("-");
                format!("{} {} GiB {class}", disk.name, disk.size_gib.0)
            })
            .collect();
        let reasons: Vec<String> = p.reasons.iter().map(|reason| voice.text(reason)).collect();
        vec![
            p.host.as_str().into(),
            p.provider.as_str().into(),
            p.region.as_str().into(),
            p.country.as_str().into(),
            p.zone.as_deref().unwrap_or_default().into(),
            p.offer.as_str().into(),
            voice.w(words::term(p.term)).into(),
            u64::from(p.vcpus.0).into(),
            p.memory_mib.0.into(),
            u64::from(p.demand.vcpus.0).into(),
            p.demand.memory_mib.0.into(),
            u64::from(p.demand.source_vcpus.0).into(),
            p.demand.source_memory_mib.0.into(),
            voice.text(&p.demand.basis).into(),
            disks.join("; ").into(),
            p.monthly.into(),
            next,
            more,
            reasons.join(" ").into(),
        ]
    };
    let columns = columns(
        voice,
        [
            ("host", "table.host"),
            ("provider", "costs.provider"),
            ("region", "costs.region"),
            ("country", "sheet.country"),
            ("zone", "sheet.zone"),
            ("offer", "table.offer"),
            ("term", "table.term"),
            ("vcpus", "sheet.vcpus"),
            ("memory_mib", "sheet.memory"),
            ("needed_vcpus", "sheet.needed-vcpus"),
            ("needed_memory_mib", "sheet.needed-memory"),
            ("source_vcpus", "sheet.source-vcpus"),
            ("source_memory_mib", "sheet.source-memory"),
            ("basis", "placements.basis"),
            ("disks", "placements.disks"),
            ("monthly", "table.monthly"),
            ("runner_up", "placements.next"),
            ("runner_up_costs_more", "sheet.costs-more"),
            ("reasons", "table.why"),
        ],
    );
    let rows = voice.plan.placements.iter().map(row).collect();
    Table { name: "placements", title: voice.w("nav.placements").to_owned(), columns, rows }
}

fn left(voice: &Voice<'_>) -> Table {
    let plan = voice.plan;
    let unplaced = plan.unplaced.iter().map(|unplaced| {
        let reasons: Vec<String> = unplaced.reasons.iter().map(|reason| voice.text(reason)).collect();
        let state = voice.w("left.unplaced");
        vec![unplaced.host.as_str().into(), state.into(), reasons.join(" ").into()]
    });
    let staying = plan.staying.iter().map(|staying| {
        let state = voice.w("left.staying");
        vec![staying.host.as_str().into(), state.into(), voice.text(&staying.reason).into()]
    });
    let rows = unplaced.chain(staying).collect();
    let columns = columns(voice, [("host", "table.host"), ("state", "table.what"), ("reasons", "table.why")]);
    Table { name: "left", title: voice.w("nav.left").to_owned(), columns, rows }
}

fn bill(voice: &Voice<'_>) -> Table {
    let row = |line: &BillLine| {
        let source = line.source.and_then(|place| voice.plan.price_sources.get(place as usize));
        let (low, high) = line.range.as_ref().map_or((line.monthly, line.monthly), |r| (r.low, r.high));
        let unknown = line.range.as_ref().map(|range| voice.text(&range.unknown)).unwrap_or_default();
        vec![
            voice.w(words::component(line.component)).into(),
            line.provider.as_str().into(),
            line.region.as_ref().map(|region| region.as_str()).unwrap_or_default().into(),
            line.host.as_ref().map(|host| host.as_str()).unwrap_or_default().into(),
            line.flow.as_deref().unwrap_or_default().into(),
            voice.text(&line.item).into(),
            Cell::Quantity(line.quantity),
            voice.unit(&line.unit).into(),
            Cell::Rate(line.rate),
            line.rate_id.as_str().into(),
            source.map(|source| voice.text(&source.name)).unwrap_or_default().into(),
            source.map(|source| source.as_of.as_str()).unwrap_or_default().into(),
            line.monthly.into(),
            low.into(),
            high.into(),
            unknown.into(),
        ]
    };
    let columns = columns(
        voice,
        [
            ("component", "costs.component"),
            ("provider", "costs.provider"),
            ("region", "costs.region"),
            ("host", "table.host"),
            ("flow", "sheet.flow"),
            ("item", "sheet.item"),
            ("quantity", "table.quantity"),
            ("unit", "sheet.unit"),
            ("rate", "table.rate"),
            ("rate_id", "word.rate-id"),
            ("source", "table.source"),
            ("as_of", "table.as-of"),
            ("monthly", "table.monthly"),
            ("low", "sheet.low"),
            ("high", "sheet.high"),
            ("unknown", "sheet.unknown"),
        ],
    );
    let rows = voice.plan.bill.iter().map(row).collect();
    Table { name: "bill", title: voice.w("nav.bill").to_owned(), columns, rows }
}

fn flows(voice: &Voice<'_>) -> Table {
    let rows = voice.plan.flows.iter().map(|flow| {
        let assumed = if flow.is_assumed { voice.w("bill.estimate") } else { "" };
        vec![
            flow.from.as_str().into(),
            flow.to.as_str().into(),
            Cell::Quantity(flow.gib),
            assumed.into(),
            flow.monthly.into(),
        ]
    });
    let columns = columns(
        voice,
        [
            ("from", "network.from"),
            ("to", "network.to"),
            ("gib", "network.volume"),
            ("assumed", "table.remarks"),
            ("monthly", "table.monthly"),
        ],
    );
    Table { name: "flows", title: voice.w("nav.network").to_owned(), columns, rows: rows.collect() }
}

fn waves(voice: &Voice<'_>) -> Table {
    let row = |wave: &carafe_model::plan::Wave, host: &carafe_model::ids::HostId| {
        vec![
            u64::from(wave.number).into(),
            wave.name.as_str().into(),
            host.as_str().into(),
            voice.text(&wave.reason).into(),
        ]
    };
    let rows = voice.plan.waves.iter().flat_map(|wave| wave.hosts.iter().map(move |host| row(wave, host)));
    let columns = columns(
        voice,
        [("wave", "word.wave"), ("name", "table.name"), ("host", "table.host"), ("reason", "table.why")],
    );
    Table { name: "waves", title: voice.w("nav.waves").to_owned(), columns, rows: rows.collect() }
}

fn steps(voice: &Voice<'_>) -> Table {
    let rows = voice.plan.steps.iter().enumerate().map(|(place, step)| {
        let after: Vec<&str> = step.after.iter().map(|id| id.as_str()).collect();
        vec![
            (place as u64 + 1).into(),
            u64::from(step.wave).into(),
            step.id.as_str().into(),
            road::kind_name(voice, &step.action).into(),
            step.action.name().into(),
            road::detail(voice, &step.action).into(),
            step.provider.as_str().into(),
            step.region.as_str().into(),
            after.join(" ").into(),
        ]
    });
    let columns = columns(
        voice,
        [
            ("number", "table.number"),
            ("wave", "word.wave"),
            ("id", "sheet.key"),
            ("kind", "table.kind"),
            ("name", "table.name"),
            ("detail", "table.what"),
            ("provider", "costs.provider"),
            ("region", "costs.region"),
            ("after", "table.after"),
        ],
    );
    Table { name: "steps", title: voice.w("sheet.steps").to_owned(), columns, rows: rows.collect() }
}

fn over_time(voice: &Voice<'_>) -> Table {
    let amounts = Months::amounts(voice);
    let rows = amounts.into_iter().map(|row| {
        let optional = |amount: Option<Money>| amount.map_or(Cell::Empty, Cell::Money);
        vec![u64::from(row.month).into(), optional(row.staying), row.moving.into(), optional(row.saved)]
    });
    let columns = columns(
        voice,
        [
            ("month", "sheet.month"),
            ("staying", "months.staying"),
            ("moving", "months.moving"),
            ("saved", "months.saved"),
        ],
    );
    Table { name: "months", title: voice.w("months.title").to_owned(), columns, rows: rows.collect() }
}

fn sensitivity(voice: &Voice<'_>) -> Table {
    let found = Sensitivity::new(voice);
    let rows = found.tables().into_iter().flat_map(|(title, rows)| {
        rows.iter().map(move |row| {
            let monthly = row.exact.map_or(Cell::Empty, Cell::Money);
            vec![
                voice.w(title).into(),
                row.what.clone().into(),
                monthly,
                row.change.clone().into(),
                row.note.clone().into(),
            ]
        })
    });
    let columns = columns(
        voice,
        [
            ("how", "table.kind"),
            ("what", "sensitivity.if"),
            ("monthly", "table.monthly"),
            ("change", "sensitivity.change"),
            ("remarks", "table.remarks"),
        ],
    );
    Table {
        name: "sensitivity",
        title: voice.w("sensitivity.title").to_owned(),
        columns,
        rows: rows.collect(),
    }
}

fn findings(voice: &Voice<'_>) -> Table {
    let rows = voice.plan.findings.iter().map(|finding| {
        vec![
            voice.w(words::severity(finding.severity)).into(),
            finding.code.as_str().into(),
            voice.finding(&finding.code, &finding.summary).into(),
            finding.host.as_deref().unwrap_or_default().into(),
            finding.place.to_string().into(),
            finding.help.as_deref().map(|help| voice.help(help)).unwrap_or_default().into(),
        ]
    });
    let columns = columns(
        voice,
        [
            ("severity", "table.severity"),
            ("code", "sheet.code"),
            ("summary", "table.what"),
            ("host", "table.host"),
            ("place", "table.where"),
            ("help", "table.to-do"),
        ],
    );
    Table { name: "findings", title: voice.w("nav.findings").to_owned(), columns, rows: rows.collect() }
}

fn sources(voice: &Voice<'_>) -> Table {
    let rows = voice.plan.price_sources.iter().enumerate().map(|(place, source)| {
        vec![
            (place as u64 + 1).into(),
            voice.text(&source.name).into(),
            source.as_of.as_str().into(),
            super::findings::quality(voice, &source.quality).into(),
        ]
    });
    let columns = columns(
        voice,
        [
            ("number", "table.number"),
            ("name", "table.source"),
            ("as_of", "table.as-of"),
            ("quality", "table.remarks"),
        ],
    );
    Table { name: "sources", title: voice.w("nav.sources").to_owned(), columns, rows: rows.collect() }
}

fn assumptions(voice: &Voice<'_>) -> Table {
    let rows = voice.plan.assumptions.iter().map(|text| vec![voice.text(text).into()]).collect();
    let columns = columns(voice, [("assumption", "nav.assumptions")]);
    Table { name: "assumptions", title: voice.w("nav.assumptions").to_owned(), columns, rows }
}
