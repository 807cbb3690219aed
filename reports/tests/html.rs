//! The HTML report: whole, harmless, and true to the plan.

mod fixture;
mod markup;

use std::collections::BTreeSet;

use carafe_model::document::{self, Document};
use carafe_model::language::{Language, figures};
use carafe_model::plan::{Component, Plan};
use carafe_model::units::Money;
use carafe_reports::{REPORTS, Report, html};
use markup::Markup;

fn rendered(plan: &Plan) -> Markup {
    markup::parse(&html(plan, Language::ENGLISH))
}

#[test]
fn the_markup_is_well_formed_and_every_id_unique() {
    for plan in [fixture::sample(), fixture::hostile(), fixture::of_size(450)] {
        let page = rendered(&plan);
        let ids = page.values("id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for target in page.values("href") {
            let id = target.strip_prefix('#').expect("links stay in the page");
            assert!(unique.contains(id), "{target} leads nowhere");
        }
        for list in ["aria-labelledby", "for"] {
            for id in page.values(list).iter().flat_map(|value| value.split(' ')) {
                assert!(unique.contains(id), "{list} names {id}, which is not there");
            }
        }
    }
}

#[test]
fn nothing_is_asked_of_the_network() {
    let text = html(&fixture::sample(), Language::ENGLISH);
    for scheme in ["http://", "https://", "//cdn", "url(", "@import"] {
        assert!(!text.contains(scheme), "{scheme}");
    }
    for plan in [fixture::sample(), fixture::hostile()] {
        let page = rendered(&plan);
        for attribute in ["src", "srcset", "action", "data", "poster", "background", "style"] {
            assert_eq!(page.values(attribute), [""; 0], "{attribute}");
        }
        let handlers =
            page.tags.iter().flat_map(|tag| &tag.attributes).filter(|(name, _)| name.starts_with("on"));
        assert_eq!(handlers.count(), 0);
        let foreign = ["iframe", "object", "embed", "img", "link", "base", "form", "video", "audio"];
        assert!(page.tags.iter().all(|tag| !foreign.contains(&tag.name.as_str())));
    }
}

#[test]
fn the_security_policy_lets_only_our_own_style_and_script_run() {
    let page = rendered(&fixture::hostile());
    let policy = page.values("content").into_iter().find(|value| value.starts_with("default-src"));
    let policy = policy.expect("there is a content security policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for directive in ["style-src 'sha256-", "script-src 'sha256-", "base-uri 'none'", "form-action 'none'"] {
        assert!(policy.contains(directive), "{directive} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let places = ["style", "script"].map(|name| page.tags.iter().filter(|tag| tag.name == name).count());
    assert_eq!(places, [1, 1]);
    // What a page adds to them are words of the language files; nothing of the plan.
    assert_eq!(page.raw, rendered(&fixture::sample()).raw);
    for (raw, own) in page.raw.iter().zip([
        include_str!("../../templates/html/report.css"),
        include_str!("../../templates/html/report.js"),
    ]) {
        assert_eq!(raw.lines().next(), own.lines().next());
    }
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let page = rendered(&fixture::hostile());
    for shown in [
        "<script>alert(1)</script>",
        "\"onmouseover=\"alert(1)",
        "]]><!--<svg/onload=alert(1)>",
        "erp⟨U+202E⟩gpj.1-bd⟨U+202C⟩",
        "nul⟨U+0000⟩esc⟨U+001B⟩[31mred line",
        "&lt;b&gt;&amp;",
        "{{ answer.name }}{% raw %}",
        "</style><style>*{display:none}",
        &"x".repeat(253),
    ] {
        assert!(page.text.contains(shown), "{shown} is not in the text");
    }
    let invisible = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!page.text.contains(invisible));
}

#[test]
fn the_same_plan_gives_the_same_bytes_even_after_a_trip_through_its_file() {
    let plan = fixture::sample();
    let (read, findings) = document::read::<Plan>("plan.json", plan.to_json().as_bytes());
    assert_eq!(findings, []);
    let again = html(&read.unwrap(), Language::ENGLISH);
    assert!(html(&plan, Language::ENGLISH) == again);
    let listed = Report::named("html").unwrap();
    assert!((listed.render)(&plan, Language::ENGLISH) == again.into_bytes());
    let names: BTreeSet<&str> = REPORTS.iter().map(|report| report.name).collect();
    assert_eq!(names.len(), REPORTS.len());
}

#[test]
fn every_host_and_every_line_of_the_bill_is_said_exactly() {
    let plan = fixture::sample();
    let page = rendered(&plan);
    for placement in &plan.placements {
        assert!(page.text.contains(placement.host.as_str()), "{}", placement.host);
        assert!(page.values("value").contains(&placement.monthly.to_string().as_str()), "{}", placement.host);
    }
    for line in &plan.bill {
        assert!(page.text.contains(line.rate_id.as_str()), "{}", line.rate_id);
        assert!(
            page.text.contains(&figures::exact_money(line.monthly, plan.currency, Language::ENGLISH.signs())),
            "{}",
            line.rate_id
        );
        assert!(
            page.text.contains(&figures::rate(line.rate, plan.currency, Language::ENGLISH.signs())),
            "{}",
            line.rate_id
        );
    }
    for source in &plan.price_sources {
        assert!(page.text.contains(&*source.name) && page.text.contains(&source.as_of));
    }
    for step in &plan.steps {
        assert!(page.text.contains(step.action.name()), "{}", step.id);
    }
    for finding in &plan.findings {
        assert!(page.text.contains(&finding.code) && page.text.contains(&*finding.summary));
    }
    for hash in [&plan.catalog.sha256, &plan.estate_sha256, &plan.policy_sha256] {
        assert!(page.text.contains(hash.as_str()));
    }
}

#[test]
fn the_sums_shown_are_the_sums_of_the_plan() {
    let plan = fixture::sample();
    let page = rendered(&plan);
    let total: Money = plan.bill.iter().map(|line| line.monthly).sum();
    assert_eq!(total, plan.totals.monthly);
    assert!(page.text.contains(&figures::exact_money(total, plan.currency, Language::ENGLISH.signs())));
    for component in Component::ALL {
        let lines = plan.bill.iter().filter(|line| line.component == component);
        let subtotal: Money = lines.map(|line| line.monthly).sum();
        if subtotal != Money::ZERO {
            let shown = figures::exact_money(subtotal, plan.currency, Language::ENGLISH.signs());
            assert!(page.text.contains(&shown), "{}: {shown}", component.name());
        }
    }
    let provider: Money = plan.bill.iter().filter(|l| l.provider.as_str() == "nhn").map(|l| l.monthly).sum();
    assert!(page.values("value").contains(&provider.to_string().as_str()));
    assert!(page.values("value").contains(&plan.totals.horizon.to_string().as_str()));
    assert!(page.text.contains("all figures agree"));
}

#[test]
fn a_figure_that_was_tampered_with_is_pointed_out_on_the_first_screen() {
    type Change = fn(&mut Plan);
    let tamper: [(&str, Change); 4] = [
        ("The monthly total is stated as USD 1.00", |plan| plan.totals.monthly = fixture::money("1")),
        ("In 1 line of the bill, quantity times rate", |plan| plan.bill[3].quantity.0 += 1),
        ("The cost over the horizon is stated as", |plan| plan.totals.horizon_months = 12),
        ("The monthly figure of 1 host is not the sum", |plan| {
            plan.placements[2].monthly = fixture::money("0.01");
        }),
    ];
    for (expected, change) in tamper {
        let mut plan = fixture::sample();
        change(&mut plan);
        let page = rendered(&plan);
        assert!(page.text.contains(expected), "{expected}");
        assert!(!page.text.contains("all figures agree"), "{expected}");
    }
}

#[test]
fn the_largest_figures_do_not_break_it() {
    let mut plan = fixture::sample();
    plan.bill[0].monthly = Money(i128::MAX);
    plan.bill[1].monthly = Money(i128::MAX);
    plan.totals.monthly = Money(i128::MIN);
    plan.totals.horizon_months = u32::MAX;
    plan.placements[0].runner_up.as_mut().unwrap().costs_more = Money(i128::MIN);
    plan.today.as_mut().unwrap().monthly = Money(i128::MAX);
    plan.bill[2].source = Some(u32::MAX);
    rendered(&plan);
}

#[test]
fn what_is_not_there_is_said_so() {
    let mut plan = fixture::sample();
    plan.today = None;
    plan.exchange = None;
    plan.bound.proven = false;
    plan.bound.lower_bound = fixture::money("2900");
    plan.bound.gap = "0.0342".parse().unwrap();
    let page = rendered(&plan);
    for said in ["What it costs today is not known", "Not proven", "at most 3.42% could still be saved"] {
        assert!(page.text.contains(said), "{said}");
    }
    plan.placements.clear();
    plan.bill.clear();
    plan.waves.clear();
    plan.steps.clear();
    plan.findings.clear();
    plan.assumptions.clear();
    plan.price_sources.clear();
    let page = rendered(&plan);
    for said in
        ["0 hosts move", "Nothing placed", "Nothing is billed", "No host has a place", "names no assumptions"]
    {
        assert!(page.text.contains(said), "{said}");
    }
}

#[test]
fn headings_are_in_order_tables_have_captions_and_heads_a_scope() {
    let page = rendered(&fixture::sample());
    let levels = page.tags.iter().filter_map(|tag| tag.name.strip_prefix('h')?.parse::<u32>().ok());
    let levels: Vec<u32> = levels.collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    let count = |name: &str| page.tags.iter().filter(|tag| tag.name == name).count();
    assert_eq!(count("table"), count("caption"));
    assert_eq!(count("main"), 1);
    for head in page.tags.iter().filter(|tag| tag.name == "th") {
        assert!(head.attributes.iter().any(|(name, _)| name == "scope"), "{head:?}");
    }
    for figure in page.tags.iter().filter(|tag| tag.name == "svg") {
        let is = |name: &str, value: &str| figure.attributes.contains(&(name.to_owned(), value.to_owned()));
        assert!(is("role", "img") || is("aria-hidden", "true"), "{figure:?}");
    }
}

#[test]
fn ten_thousand_hosts_are_all_there() {
    let text = html(&fixture::of_size(10_000), Language::ENGLISH);
    assert_eq!(text.matches("<tbody><tr><th scope=\"row\"><bdi>host-").count(), 10_000);
    assert!(text.len() < 8_000_000, "{} bytes", text.len());
    assert!(text.contains("<bdi>host-09999</bdi>"));
}
