//! The short answer in plain text.

mod fixture;

use carafe_model::language::Language;
use carafe_reports::text;
use unicode_width::UnicodeWidthStr;

#[test]
fn it_reads_well_at_the_usual_widths() {
    insta::assert_snapshot!("sample-100", text(&fixture::sample(), 100, Language::ENGLISH));
    insta::assert_snapshot!("sample-72", text(&fixture::sample(), 72, Language::ENGLISH));
    insta::assert_snapshot!("sample-40", text(&fixture::sample(), 40, Language::ENGLISH));
}

#[test]
fn without_today_and_without_proof_it_says_so() {
    let mut plan = fixture::sample();
    plan.today = None;
    plan.bound.proven = false;
    plan.bound.lower_bound = fixture::money("2900");
    plan.bound.gap = "0.0342".parse().unwrap();
    plan.unplaced.clear();
    plan.findings.clear();
    insta::assert_snapshot!("unproven", text(&plan, 80, Language::ENGLISH));
}

#[test]
fn no_line_is_wider_than_asked_for_and_none_holds_a_terminal_code() {
    for plan in [fixture::sample(), fixture::hostile(), fixture::of_size(60)] {
        for width in [0, 40, 47, 60, 72, 80, 100, 160] {
            for line in text(&plan, width, Language::ENGLISH).lines() {
                assert!(line.width() <= width.max(40), "{width}: {line}");
                assert!(!line.contains(char::is_control), "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn figures_are_never_cut() {
    let mut plan = fixture::hostile();
    plan.placements[0].monthly = fixture::money("123456789012.34");
    for width in [40, 60, 100] {
        assert!(text(&plan, width, Language::ENGLISH).contains("123,456,789,012.34"), "{width}");
    }
}

#[test]
fn of_a_large_plan_the_dearest_are_listed_and_the_rest_counted() {
    let shown = text(&fixture::of_size(60), 100, Language::ENGLISH);
    assert_eq!(shown.lines().filter(|line| line.starts_with("host-")).count(), 40);
    assert!(shown.contains("20 more are in the plan."), "{shown}");
}
