//! Money against a count: a point for each plan, and a line through those that none other beats in both.
//!
//! Like the bars, the figure has no view box: widths are percentages and heights pixels, so that its words keep their size.

use std::collections::BTreeMap;

use askama::Template;
use carafe_model::units::Money;

/// Pixels of the whole figure, of its floor and of its ceiling.
const HEIGHT: i64 = 300;
const FLOOR: i64 = 250;
const CEILING: i64 = 30;
/// Percentages of the width between which points stand.
const LEFT: f64 = 18.0;
const RIGHT: f64 = 94.0;

/// What the figure says in words.
pub(crate) struct Words<'a> {
    pub title: &'a str,
    pub axis: &'a str,
    pub description: String,
}

/// A plan.
pub(crate) struct Dot {
    pub value: i64,
    pub money: Money,
    pub label: String,
    pub is_best: bool,
}

#[derive(Template)]
#[template(path = "compare/front.svg")]
struct Figure<'a> {
    id: &'a str,
    title: &'a str,
    axis: &'a str,
    description: &'a str,
    height: i64,
    floor: i64,
    grids: Vec<Grid>,
    ticks: Vec<Tick>,
    lines: Vec<Segment>,
    points: Vec<Point>,
}

struct Grid {
    y: i64,
    label: String,
}

struct Tick {
    x: String,
    label: String,
}

struct Segment {
    x1: String,
    y1: i64,
    x2: String,
    y2: i64,
}

struct Point {
    x: String,
    y: i64,
    dx: i64,
    anchor: &'static str,
    label: String,
    is_best: bool,
}

/// Draws the points, which are ascending in their value; `write` says an amount in short.
pub(crate) fn front(id: &str, words: &Words<'_>, dots: &[Dot], write: impl Fn(Money) -> String) -> String {
    let least = dots.iter().map(|dot| dot.value).min().unwrap_or_default();
    let most = dots.iter().map(|dot| dot.value).max().unwrap_or_default();
    let x = |value: i64| {
        let share = if most > least { (value - least) as f64 / (most - least) as f64 } else { 0.5 };
        format!("{:.2}", LEFT + share * (RIGHT - LEFT))
    };
    let ceiling = step_up(dots.iter().map(|dot| dot.money.to_f64()).fold(0.0, f64::max));
    let y = |money: f64| {
        let share = if ceiling > 0.0 { (money / ceiling).clamp(0.0, 1.0) } else { 0.0 };
        FLOOR - (share * (FLOOR - CEILING) as f64).round() as i64
    };
    let grids = (0..=4).map(|part| {
        let money = ceiling * f64::from(part) / 4.0;
        Grid { y: y(money), label: write(Money((money * 1e9) as i128)) }
    });
    let values: BTreeMap<i64, ()> = dots.iter().map(|dot| (dot.value, ())).collect();
    let best: Vec<&Dot> = dots.iter().filter(|dot| dot.is_best).collect();
    let lines = best.windows(2).map(|pair| Segment {
        x1: x(pair[0].value),
        y1: y(pair[0].money.to_f64()),
        x2: x(pair[1].value),
        y2: y(pair[1].money.to_f64()),
    });
    // Plans that stand on one spot are labelled together, so that their numbers do not cover each other.
    let mut spots: BTreeMap<(i64, i64), (Vec<&str>, bool)> = BTreeMap::new();
    for dot in dots {
        let spot = spots.entry((dot.value, y(dot.money.to_f64()) / 16)).or_default();
        spot.0.push(&dot.label);
        spot.1 |= dot.is_best;
    }
    let points = dots.iter().map(|dot| {
        let place = (dot.value, y(dot.money.to_f64()) / 16);
        let labels = spots.get_mut(&place).map(|spot| std::mem::take(&mut spot.0)).unwrap_or_default();
        let is_right = dot.value == most && most > least;
        Point {
            x: x(dot.value),
            y: y(dot.money.to_f64()),
            dx: if is_right { 6 } else { -4 },
            anchor: if is_right { "end" } else { "start" },
            label: labels.join(", "),
            is_best: dot.is_best,
        }
    });
    let mut points: Vec<Point> = points.collect();
    // What is on the line is drawn last, so that nothing covers it.
    points.sort_by_key(|point| point.is_best);
    Figure {
        id,
        title: words.title,
        axis: words.axis,
        description: &words.description,
        height: HEIGHT,
        floor: FLOOR,
        grids: grids.collect(),
        ticks: values.keys().map(|value| Tick { x: x(*value), label: value.to_string() }).collect(),
        lines: lines.collect(),
        points,
    }
    .render()
    .expect("writing to a string does not fail")
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten: an end of an axis that people can divide by four.
fn step_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|end| *end >= value).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_figures() {
        for (value, end) in
            [(0.0, 0.0), (0.7, 0.8), (1.0, 1.0), (33.0, 40.0), (812.0, 1000.0), (1001.0, 2000.0)]
        {
            assert!((step_up(value) - end).abs() < 1e-9, "{value}");
        }
    }
}
