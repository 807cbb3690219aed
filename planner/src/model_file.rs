//! The placement problem as a mixed-integer program in a file, for any solver in the world to check a plan's claim.
//!
//! With `x[i,l] = 1` where node `i` has label `l`, the sum over a region or provider says whether `i` is there, so what an
//! end of an edge pays to leave a zone, region or provider needs no variable for every pair of labels: for places that
//! charge alike, `u ≥ Σ x[sender, place] − Σ x[receiver, whole]` with the increment from the level below as its price. The
//! relaxation is nearly always tight. Regions and providers that cost something to open have a binary each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use carafe_model::estate::Estate;
use carafe_model::finding::Finding;
use carafe_model::language::Said;
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::Money;

use crate::account::Tilt;
use crate::decide::with_placing;
use crate::placing::{Placing, Stated};
use crate::solve::problem::{Edge, Problem};

/// How the program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Free MPS.
    Mps,
    /// The LP format of CPLEX, which HiGHS, SCIP and others read.
    Lp,
}

/// The code of the finding that says why there is no such program.
pub const NO_MODEL: &str = "PLN-0501";

/// Writes the program whose optimum is the month of the plan.
///
/// # Errors
/// When prices cannot be converted, when commitments, support plans or reservations make a month no sum of costs, or when the rules
/// leave a group of hosts nothing.
pub fn export(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    form: Form,
) -> Result<String, Box<Finding>> {
    let refused =
        |key: &str| Box::new(Finding::error(NO_MODEL, Said::new(key)).help(Said::new("help.no-model")));
    if crate::account::has_contracts(policy) {
        return Err(refused("finding.no-model-contracts"));
    }
    let written = with_placing(estate, snapshot, policy, |placing, _| {
        let stated = placing.stated(&Tilt::none(snapshot.catalog.providers.len()))?;
        Some(write(&Program::new(&stated), &header(placing, &stated), form))
    });
    written
        .ok_or_else(|| refused("finding.no-model-exchange"))?
        .ok_or_else(|| refused("finding.no-model-rules"))
}

/// What the numbers in the names are, in lines without line breaks of their own.
fn header(placing: &Placing<'_>, stated: &Stated) -> Vec<String> {
    let snapshot = placing.market.snapshot;
    let mut lines = vec![
        format!("objective: {} a month; x_<node>_<label>", placing.policy.pricing.currency.code()),
        "y_<region> and z_<provider>: whether it is used; u_<edge>_<number>: what is paid on an edge"
            .to_owned(),
    ];
    for (label, spot) in stated.labels.iter().enumerate() {
        let zone = spot.zone.map(|zone| format!(" zone {zone}")).unwrap_or_default();
        lines.push(format!("label {label}: {}{zone}", snapshot.region_path(spot.region)));
    }
    for (node, group) in stated.nodes.iter().enumerate() {
        let hosts = placing.groups[*group].movers.iter().map(|mover| placing.movers[*mover].host);
        let names: Vec<String> =
            hosts.map(|host| format!("{:?}", placing.estate.hosts[host].id.as_str())).collect();
        lines.push(format!("node {node}: {}", names.join(" ")));
    }
    lines.into_iter().map(|line| line.escape_default().to_string().replace("\\\"", "\"")).collect()
}

/// How a row compares with its right side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Least,
    Most,
    Equal,
}

struct Row {
    sense: Sense,
    right: i64,
    terms: Vec<(usize, i64)>,
}

struct Column {
    name: String,
    /// In billionths.
    cost: i128,
    is_binary: bool,
}

#[derive(Default)]
struct Program {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Program {
    fn new(stated: &Stated) -> Program {
        let problem = &stated.problem;
        let mut program = Program::default();
        let money = |cost: i64| i128::from(cost) * stated.unit;
        let mut x: Vec<Vec<(u32, usize)>> = Vec::new();
        for (node, labels) in problem.nodes.iter().enumerate() {
            let columns: Vec<(u32, usize)> = labels
                .iter()
                .map(|&(label, cost)| (label, program.column(format!("x_{node}_{label}"), money(cost), true)))
                .collect();
            program.row(Sense::Equal, 1, columns.iter().map(|(_, column)| (*column, 1)).collect());
            x.push(columns);
        }
        for (number, edge) in problem.edges.iter().enumerate() {
            program.add_edge(problem, number, edge, &x, stated.unit);
        }
        program.add_openings(problem, &x, stated.unit);
        program.add_capacities(problem, &x);
        program
    }

    fn column(&mut self, name: String, cost: i128, is_binary: bool) -> usize {
        self.columns.push(Column { name, cost, is_binary });
        self.columns.len() - 1
    }

    fn row(&mut self, sense: Sense, right: i64, terms: Vec<(usize, i64)>) {
        self.rows.push(Row { sense, right, terms });
    }

    /// What the ends pay for traffic, and which pairs of labels are refused or cost besides.
    fn add_edge(
        &mut self,
        problem: &Problem,
        number: usize,
        edge: &Edge,
        x: &[Vec<(u32, usize)>],
        unit: i128,
    ) {
        let places = &problem.places;
        let (a, b) = (edge.a as usize, edge.b as usize);
        let mut parts = 0;
        for (sender, receiver, tariff) in [(a, b, &edge.a_pays), (b, a, &edge.b_pays)] {
            // By level, whole (label, region, provider) and class: the sender's labels that charge alike.
            let mut alike: BTreeMap<(usize, usize, u32), Vec<u32>> = BTreeMap::new();
            for &(label, _) in &x[sender] {
                let class = places.class[label as usize];
                let wholes = [label as usize, places.region_of(label), places.provider_of(label)];
                for (level, whole) in wholes.into_iter().enumerate() {
                    alike.entry((level, whole, class)).or_default().push(label);
                }
            }
            for ((level, whole, class), labels) in alike {
                let rates = tariff.by_class[class as usize];
                let below = if level == 0 { 0 } else { rates[level - 1] };
                let increment = rates[level] - below;
                if increment == 0 {
                    continue;
                }
                let is_there = |label: u32| match level {
                    0 => label as usize == whole,
                    1 => places.region_of(label) == whole,
                    _ => places.provider_of(label) == whole,
                };
                let there =
                    x[receiver].iter().filter(|(label, _)| is_there(*label)).map(|(_, column)| *column);
                let there: Vec<usize> = there.collect();
                let here =
                    x[sender].iter().filter(|(label, _)| labels.contains(label)).map(|(_, column)| *column);
                let here: Vec<usize> = here.collect();
                let paid =
                    self.column(format!("u_{number}_{parts}"), i128::from(increment) * unit, increment < 0);
                parts += 1;
                if increment > 0 {
                    let mut terms = vec![(paid, 1)];
                    terms.extend(here.iter().map(|column| (*column, -1)));
                    terms.extend(there.iter().map(|column| (*column, 1)));
                    self.row(Sense::Least, 0, terms);
                } else {
                    // What it saves to go further is had only where it does.
                    let mut terms = vec![(paid, 1)];
                    terms.extend(here.iter().map(|column| (*column, -1)));
                    self.row(Sense::Most, 0, terms);
                    let mut terms = vec![(paid, 1)];
                    terms.extend(there.iter().map(|column| (*column, 1)));
                    self.row(Sense::Most, 1, terms);
                }
            }
        }
        let Some(table) = edge.table.map(|table| &problem.tables[table as usize]) else { return };
        for &(r, in_r) in &x[a] {
            let refused = x[b].iter().filter(|(s, _)| table.refuses(r, *s));
            let mut terms: Vec<(usize, i64)> = refused.map(|(_, column)| (*column, 1)).collect();
            if !terms.is_empty() {
                terms.push((in_r, 1));
                self.row(Sense::Most, 1, terms);
            }
            for &(s, in_s) in x[b].iter().filter(|(s, _)| !table.refuses(r, *s) && table.cost(r, *s) > 0) {
                let cost = i128::from(table.cost(r, s)) * unit;
                let both = self.column(format!("u_{number}_{parts}"), cost, false);
                parts += 1;
                self.row(Sense::Least, -1, vec![(both, 1), (in_r, -1), (in_s, -1)]);
            }
        }
    }

    fn add_openings(&mut self, problem: &Problem, x: &[Vec<(u32, usize)>], unit: i128) {
        let places = &problem.places;
        type PlaceOf<'p> = &'p dyn Fn(u32) -> usize;
        let kinds: [(&str, &[i64], Option<u32>, PlaceOf<'_>); 2] = [
            ("y", &problem.open_region, problem.max_regions, &|label| places.region_of(label)),
            ("z", &problem.open_provider, problem.max_providers, &|label| places.provider_of(label)),
        ];
        for (letter, costs, most, place_of) in kinds {
            let mut counted = Vec::new();
            for (place, &cost) in costs.iter().enumerate() {
                if cost == 0 && most.is_none() {
                    continue;
                }
                let open = self.column(format!("{letter}_{place}"), i128::from(cost) * unit, true);
                counted.push((open, 1));
                for labels in x {
                    let inside = labels.iter().filter(|(label, _)| place_of(*label) == place);
                    let mut terms: Vec<(usize, i64)> = inside.map(|(_, column)| (*column, 1)).collect();
                    if !terms.is_empty() {
                        terms.push((open, -1));
                        self.row(Sense::Most, 0, terms);
                    }
                }
            }
            if let Some(most) = most {
                self.row(Sense::Most, i64::from(most), counted);
            }
        }
    }

    fn add_capacities(&mut self, problem: &Problem, x: &[Vec<(u32, usize)>]) {
        for (capacity, &most) in problem.capacities.iter().enumerate() {
            let mut terms = Vec::new();
            for (node, labels) in x.iter().enumerate() {
                for &(label, column) in labels {
                    let uses = problem.uses_of(node, label).iter();
                    let amount: i64 =
                        uses.filter(|u| u.capacity as usize == capacity).map(|u| u.amount).sum();
                    if amount != 0 {
                        terms.push((column, amount));
                    }
                }
            }
            self.row(Sense::Most, most, terms);
        }
    }
}

fn write(program: &Program, header: &[String], form: Form) -> String {
    let mut text = String::new();
    let comment = match form {
        Form::Mps => "*",
        Form::Lp => "\\",
    };
    for line in header {
        writeln!(text, "{comment} {line}").expect("writing to a string");
    }
    match form {
        Form::Mps => write_mps(&mut text, program),
        Form::Lp => write_lp(&mut text, program),
    }
    text
}

/// Money as a plain decimal number.
fn decimal(billionths: i128) -> String {
    Money(billionths).to_string()
}

fn write_mps(text: &mut String, program: &Program) {
    let mut of_column: Vec<Vec<(usize, i64)>> = vec![Vec::new(); program.columns.len()];
    for (row, Row { terms, .. }) in program.rows.iter().enumerate() {
        for (column, factor) in terms {
            of_column[*column].push((row, *factor));
        }
    }
    let mut line = |words: std::fmt::Arguments<'_>| writeln!(text, "{words}").expect("writing to a string");
    line(format_args!("NAME placement\nROWS\n N month"));
    for (row, Row { sense, .. }) in program.rows.iter().enumerate() {
        let letter = match sense {
            Sense::Least => "G",
            Sense::Most => "L",
            Sense::Equal => "E",
        };
        line(format_args!(" {letter} r{row}"));
    }
    line(format_args!("COLUMNS"));
    for (column, rows) in program.columns.iter().zip(&of_column) {
        line(format_args!(" {} month {}", column.name, decimal(column.cost)));
        for (row, factor) in rows {
            line(format_args!(" {} r{row} {factor}", column.name));
        }
    }
    line(format_args!("RHS"));
    for (row, Row { right, .. }) in program.rows.iter().enumerate().filter(|(_, row)| row.right != 0) {
        line(format_args!(" RHS r{row} {right}"));
    }
    line(format_args!("BOUNDS"));
    for column in program.columns.iter().filter(|column| column.is_binary) {
        line(format_args!(" BV BND {}", column.name));
    }
    line(format_args!("ENDATA"));
}

fn write_lp(text: &mut String, program: &Program) {
    let name = |column: usize| program.columns[column].name.as_str();
    let mut line = |words: std::fmt::Arguments<'_>| writeln!(text, "{words}").expect("writing to a string");
    line(format_args!("Minimize\n month:"));
    for column in &program.columns {
        let sign = if column.cost < 0 { '-' } else { '+' };
        let size = decimal(i128::try_from(column.cost.unsigned_abs()).unwrap_or(i128::MAX));
        line(format_args!("  {sign} {size} {}", column.name));
    }
    line(format_args!("Subject To"));
    for (row, Row { sense, right, terms }) in program.rows.iter().enumerate() {
        line(format_args!(" r{row}:"));
        for (column, factor) in terms {
            let sign = if *factor < 0 { '-' } else { '+' };
            line(format_args!("  {sign} {} {}", factor.unsigned_abs(), name(*column)));
        }
        let sign = match sense {
            Sense::Least => ">=",
            Sense::Most => "<=",
            Sense::Equal => "=",
        };
        line(format_args!("  {sign} {right}"));
    }
    line(format_args!("Binaries"));
    for column in program.columns.iter().filter(|column| column.is_binary) {
        line(format_args!(" {}", column.name));
    }
    line(format_args!("End"));
}
