//! The graph: which hosts belong together, what deserves a look, and pictures that can be read.

use std::collections::BTreeSet;

use carafe_inventory::graph::DependencyGraph;
use carafe_inventory::graph::analysis::{apps, findings, has_ended};
use carafe_inventory::graph::draw::{Form, write};
use carafe_model::estate::{Endpoint, Estate, Flow};
use carafe_model::host::{Disk, Host, Os, OsFamily, Power};
use carafe_model::units::Quantity;

use crate::support::line;

fn flow(from: &str, to: &str, port: u16) -> Flow {
    Flow {
        from: Endpoint::Host(from.into()),
        to: Endpoint::Host(to.into()),
        protocol: Some("tcp".into()),
        port: Some(port),
        gib_month: Some(Quantity(5_000_000)),
        gib_month_back: None,
        max_rtt_ms: None,
    }
}

fn os(family: OsFamily, name: &str, version: &str) -> Os {
    Os { family, name: name.into(), version: Some(version.into()) }
}

/// Two shops that each call in a circle, and a name server that everybody asks.
fn estate() -> Estate {
    let mut estate = Estate::empty("two <shops> & one \"name\"");
    for shop in ["alpha", "beta"] {
        for number in 1..=9 {
            estate.hosts.push(Host::named(format!("{shop}-{number}")));
        }
        for number in 1..=9 {
            let next = number % 9 + 1;
            estate.flows.push(flow(&format!("{shop}-{number}"), &format!("{shop}-{next}"), 8_080));
            estate.flows.push(flow(&format!("{shop}-{number}"), "names", 53));
        }
    }
    estate.hosts.push(Host::named("names"));
    estate.flows.push(flow("alpha-1", "beta-1", 443));
    estate
}

#[test]
fn hosts_that_call_each_other_are_proposed_as_apps_with_the_reason() {
    let estate = estate();
    let proposals = apps(&estate, &DependencyGraph::of(&estate));
    let names: Vec<&str> = proposals.iter().map(|proposal| proposal.name.as_str()).collect();
    assert_eq!(names, ["alpha", "beta"]);
    assert!(
        proposals.iter().all(|proposal| proposal.hosts.len() == 9),
        "what everybody asks welds nothing together"
    );
    assert_eq!(
        proposals[0].reason,
        "9 of them call each other in a circle, and 90 % of their connections stay among these 9 hosts"
    );
}

#[test]
fn old_idle_lonely_and_tied_hosts_are_told() {
    let mut estate = estate();
    estate.hosts[0].os = Some(os(OsFamily::Windows, "Microsoft Windows Server 2012 R2", "2012"));
    estate.hosts[1].power = Some(Power::Off);
    estate.hosts[2].disks = vec![Disk { name: "q".into(), shared: true, raw: true, ..Disk::default() }];
    estate.hosts.push(Host::named("alone"));
    let told: Vec<String> = findings(&estate, &DependencyGraph::of(&estate), "e").iter().map(line).collect();
    let expected = [
        "warning INV-6501 e, /hosts/0",
        "info INV-6502 e, /hosts/1",
        "warning INV-6505 e, /hosts/2",
        "warning INV-6506 e, /hosts/2",
        "info INV-6504 e, /hosts/19",
    ];
    assert_eq!(told, expected);
    for (system, ended) in [
        (os(OsFamily::Rhel, "Red Hat Enterprise Linux 7.9", "7.9"), true),
        (os(OsFamily::Rhel, "Red Hat Enterprise Linux 9.3", "9.3"), false),
        (os(OsFamily::Linux, "CentOS Linux 7", "7"), true),
        (os(OsFamily::Linux, "CentOS Stream 9", "9"), false),
        (os(OsFamily::Linux, "Ubuntu 22.04.4 LTS", "22.04"), false),
        (os(OsFamily::Windows, "Windows Server 2022", "2022"), false),
    ] {
        assert_eq!(has_ended(&system), ended, "{}", system.name);
    }
}

/// The names of all elements in order; fails where the text is no XML.
fn elements(text: &str) -> Vec<String> {
    fn all(element: &carafe_inventory::xml::Element, names: &mut Vec<String>) {
        names.push(element.name.clone());
        element.inside.iter().for_each(|element| all(element, names));
    }
    let mut names = Vec::new();
    for root in carafe_inventory::xml::parse(text).expect("well-formed") {
        all(&root, &mut names);
    }
    names
}

#[test]
fn every_form_names_every_host_and_stays_well_formed() {
    let estate = estate();
    let graph = DependencyGraph::of(&estate);
    let proposals = apps(&estate, &graph);
    let forms = [Form::Svg, Form::Dot, Form::Mermaid, Form::GraphMl];
    for form in forms {
        let text = write(&estate, &graph, &proposals, form, None);
        assert!(estate.hosts.iter().all(|host| text.contains(&host.name)), "{form:?}");
        assert_eq!(write(&estate, &graph, &proposals, form, None), text, "the same again");
    }
    let svg = write(&estate, &graph, &proposals, Form::Svg, None);
    assert_eq!(elements(&svg).iter().filter(|name| *name == "rect").count(), 19);
    let graphml = write(&estate, &graph, &proposals, Form::GraphMl, None);
    assert_eq!(elements(&graphml).iter().filter(|name| *name == "edge").count(), estate.flows.len());
}

/// Two thousand hosts are drawn as their groups, and boxes never lie on each other.
#[test]
fn a_picture_of_two_thousand_hosts_shows_groups() {
    let mut estate = Estate::empty("large");
    for app in 0..100 {
        for host in 0..20 {
            let mut new = Host::named(format!("app{app:02}-{host:02}"));
            new.app = Some(format!("app{app:02}").into());
            estate.hosts.push(new);
            estate.flows.push(flow(
                &format!("app{app:02}-{host:02}"),
                &format!("app{:02}-{host:02}", (app + 7) % 100),
                443,
            ));
        }
    }
    let graph = DependencyGraph::of(&estate);
    let svg = write(&estate, &graph, &[], Form::Svg, None);
    let roots = carafe_inventory::xml::parse(&svg).expect("well-formed");
    let boxes: Vec<(String, String)> = roots[0]
        .children("g")
        .filter_map(|group| {
            let rect = group.child("rect")?;
            Some((rect.attribute("x")?.to_owned(), rect.attribute("y")?.to_owned()))
        })
        .collect();
    assert_eq!(boxes.len(), 100);
    assert_eq!(boxes.iter().collect::<BTreeSet<_>>().len(), 100, "each at a place of its own");
    assert!(svg.contains("app00 (20)") && svg.len() < 200_000);
}

#[test]
fn what_everybody_speaks_with_is_named_in_boxes_where_there_is_much_to_draw() {
    let drawn = |count: usize| {
        let mut estate = Estate::empty("many");
        for number in 0..count {
            estate.hosts.push(Host::named(format!("h{number:03}")));
            let mut from_outside = flow("h000", "h001", 1);
            from_outside.from = Endpoint::External("internet".into());
            from_outside.to = Endpoint::Host(format!("h{number:03}").into());
            estate.flows.push(from_outside);
        }
        estate.flows.push(flow("h000", "h001", 7));
        let graph = DependencyGraph::of(&estate);
        write(&estate, &graph, &[], Form::Svg, Some(false))
    };
    let (few, many) = (drawn(30), drawn(90));
    assert_eq!((few.matches("<path d").count(), few.matches("from internet").count()), (1 + 31, 0));
    assert_eq!((many.matches("<path d").count(), many.matches("from internet").count()), (1 + 1, 90));
}
