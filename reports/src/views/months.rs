//! What staying and moving has cost after so many months, and when the move is paid back.

use carafe_model::language::Said;
use carafe_model::units::Money;

use super::answer::Comparison;
use super::{difference, sum};
use crate::draw::lines::{Lines, lines};
use crate::figures::Amount;
use crate::voice::Voice;

/// The figure with its table and its key.
#[derive(Clone, Debug)]
pub struct Months {
    /// The figure.
    pub svg: String,
    /// Class and words of each line.
    pub legend: Vec<(&'static str, &'static str)>,
    /// Whether today's cost is known.
    pub has_today: bool,
    /// After so many months: staying, moving, and what is saved; moving alone where today's cost is not known.
    pub rows: Vec<(String, Vec<Amount>)>,
}

impl Months {
    /// Works it out; `None` where nothing is placed.
    pub fn new(voice: &Voice<'_>) -> Option<Months> {
        let plan = voice.plan;
        if plan.placements.is_empty() {
            return None;
        }
        let totals = &plan.totals;
        let today = Comparison::new(plan);
        let horizon = totals.horizon_months;
        let pay_back = today.as_ref().and_then(|today| today.earned_back);
        let row = |row: MonthAmounts| {
            let amounts = [row.staying, Some(row.moving), row.saved].into_iter().flatten();
            let amounts = amounts.map(|amount| voice.amount(amount)).collect();
            (voice.n("months.month", row.month as usize), amounts)
        };
        let rows = Months::amounts(voice).into_iter().map(row).collect();
        let mut legend = vec![("moving", voice.w("months.key-moving"))];
        if totals.monthly_low != totals.monthly_high {
            legend.push(("band", voice.w("months.key-band")));
        }
        legend.extend(today.as_ref().map(|_| ("staying", voice.w("months.key-staying"))));
        let svg = lines(&Lines {
            title: voice.w("months.title"),
            description: described(voice, today.as_ref()),
            months: horizon,
            plan: (totals.one_time.to_f64(), totals.horizon.to_f64()),
            range: (
                sum([totals.one_time, after(totals.monthly_low, horizon)]).to_f64(),
                sum([totals.one_time, after(totals.monthly_high, horizon)]).to_f64(),
            ),
            staying: today.as_ref().map(|today| after(today.today, horizon).to_f64()),
            pay_back: today.as_ref().zip(pay_back.filter(|month| *month <= horizon)).map(|(today, month)| {
                let exact = totals.one_time.to_f64() / today.saved.to_f64();
                (exact, voice.n("months.pay-back", month as usize))
            }),
            axes: [
                String::new(),
                voice.money(top(voice, today.as_ref())),
                voice.n("months.month", 0),
                voice.n("months.month", horizon as usize),
            ],
        });
        Some(Months { svg, legend, has_today: today.is_some(), rows })
    }
}

/// What staying and moving has cost after so many months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthAmounts {
    /// After so many months.
    pub month: u32,
    /// What staying has cost, where today's cost is known.
    pub staying: Option<Money>,
    /// What moving has cost, with its one-time cost.
    pub moving: Money,
    /// The difference.
    pub saved: Option<Money>,
}

impl Months {
    /// The quarters of the horizon and the month of pay-back; none where nothing is placed.
    pub fn amounts(voice: &Voice<'_>) -> Vec<MonthAmounts> {
        let plan = voice.plan;
        if plan.placements.is_empty() {
            return Vec::new();
        }
        let today = Comparison::new(plan);
        let horizon = plan.totals.horizon_months;
        let mut months: Vec<u32> = vec![0, horizon / 4, horizon / 2, horizon / 4 * 3, horizon];
        months.extend(today.as_ref().and_then(|today| today.earned_back).filter(|month| *month <= horizon));
        months.sort_unstable();
        months.dedup();
        let at = |month: u32| {
            let moving = sum([plan.totals.one_time, after(plan.totals.monthly, month)]);
            let staying = today.as_ref().map(|today| after(today.today, month));
            let saved = staying.map(|staying| difference(staying, moving));
            MonthAmounts { month, staying, moving, saved }
        };
        months.into_iter().map(at).collect()
    }
}

fn after(monthly: Money, months: u32) -> Money {
    Money(monthly.0.saturating_mul(months.into()))
}

/// The largest figure of the chart.
fn top(voice: &Voice<'_>, today: Option<&Comparison>) -> Money {
    let totals = &voice.plan.totals;
    let months = totals.horizon_months;
    let high = sum([totals.one_time, Money(totals.monthly_high.0.saturating_mul(months.into()))]);
    let staying = today.map(|today| Money(today.today.0.saturating_mul(months.into())));
    staying.unwrap_or_default().max(high).max(totals.horizon)
}

fn described(voice: &Voice<'_>, today: Option<&Comparison>) -> String {
    let totals = &voice.plan.totals;
    let said = Said::new("months.described")
        .with("n", totals.horizon_months)
        .with("moving", voice.money(totals.horizon));
    let mut text = voice.say(&said);
    if let Some(today) = today {
        let staying = Money(today.today.0.saturating_mul(totals.horizon_months.into()));
        text.push(' ');
        text.push_str(&voice.x("months.described-staying", &voice.money(staying)));
        if let Some(month) = today.earned_back {
            text.push(' ');
            text.push_str(&voice.n("answer.earned-back", month as usize));
        }
    }
    text
}
