//! Reads a program in free MPS, as far as the planner writes it, and solves it with another solver.

use std::collections::BTreeMap;

use good_lp::{Expression, ProblemVariables, Solution, SolverModel, Variable, microlp, variable};

/// The least value of the objective; `None` when the program cannot be kept.
pub fn optimum(text: &str) -> Option<f64> {
    let words =
        || text.lines().filter(|line| !line.starts_with('*')).map(|line| line.split_whitespace().collect());
    let lines: Vec<Vec<&str>> = words().collect();
    let section = |name: &str| -> Vec<&Vec<&str>> {
        let begin = lines.iter().position(|line| line[0] == name).expect("every section is there") + 1;
        let heads = ["ROWS", "COLUMNS", "RHS", "BOUNDS", "ENDATA"];
        lines[begin..].iter().take_while(|line| !(line.len() == 1 && heads.contains(&line[0]))).collect()
    };
    let binary: Vec<&str> = section("BOUNDS").iter().map(|line| line[2]).collect();
    let mut variables = ProblemVariables::new();
    let mut columns: BTreeMap<&str, Variable> = BTreeMap::new();
    let mut rows: BTreeMap<&str, Expression> = BTreeMap::new();
    for line in section("COLUMNS") {
        let [name, row, value] = line[..] else { panic!("{line:?}") };
        let column = *columns.entry(name).or_insert_with(|| {
            variables.add(if binary.contains(&name) { variable().binary() } else { variable().min(0) })
        });
        *rows.entry(row).or_default() += value.parse::<f64>().expect("a number") * column;
    }
    let right: BTreeMap<&str, f64> =
        section("RHS").iter().map(|line| (line[1], line[2].parse().expect("a number"))).collect();
    let objective = rows.remove("month").unwrap_or_default();
    let mut model = variables.minimise(objective.clone()).using(microlp);
    for line in section("ROWS") {
        let right = right.get(line[1]).copied().unwrap_or(0.0);
        let Some(left) = rows.remove(line[1]) else { continue };
        model = match line[0] {
            "G" => model.with(left.geq(right)),
            "L" => model.with(left.leq(right)),
            "E" => model.with(left.eq(right)),
            other => panic!("{other} is no kind of row"),
        };
    }
    model.solve().ok().map(|solution| solution.eval(objective))
}
