//! Modules of a plan with everything in it, against the files in `golden/`.
//!
//! `CARAFE_UPDATE_DOCS=1 cargo test --test opentofu` renews them, and `./test tofu` has OpenTofu or Terraform read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use carafe::opentofu::{Module, export};
use carafe_model::document;
use carafe_model::estate::HealthCheck;
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::plan::Plan;
use carafe_model::steps::{Action, AllowRule, ImageQuery, Step};
use carafe_model::units::{Gib, Mib, Vcpus};

const PLACES: [(&str, &str); 11] = [
    ("alibaba", "ap-northeast-2"),
    ("aws", "ap-northeast-2"),
    ("azure", "koreacentral"),
    ("gcp", "asia-northeast3"),
    ("ibm", "jp-tok"),
    ("kt", "KR1"),
    ("ncp", "KR"),
    ("nhn", "KR1"),
    ("oci", "ap-chuncheon-1"),
    ("openstack", "RegionOne"),
    ("tencent", "ap-seoul"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The plan of the documentation with other steps.
fn plan(steps: Vec<Step>) -> Plan {
    let text = std::fs::read_to_string(root().join("docs/formats/plan.md")).expect("the page is there");
    let (_, from_block) = text.split_once("```json\n").expect("the page has an example");
    let (block, _) = from_block.split_once("```").expect("the block ends");
    let (plan, findings) = document::read::<Plan>("plan.json", block.as_bytes());
    assert_eq!(findings, []);
    Plan { steps, ..plan.expect("a plan") }
}

fn step(provider: &str, region: &str, action: Action) -> Step {
    Step {
        id: format!("{provider}/{region}/{}/{}", action.kind(), action.name()).as_str().into(),
        wave: 1,
        provider: provider.into(),
        region: region.into(),
        host: None,
        after: Vec::new(),
        action,
    }
}

fn rule(protocol: &str, ports: Option<(u16, u16)>, source: &str) -> AllowRule {
    AllowRule {
        protocol: protocol.into(),
        from_port: ports.map(|(from, _)| from),
        to_port: ports.map(|(_, to)| to),
        source: source.into(),
    }
}

fn machine(name: &str, system: &str, family: OsFamily) -> Action {
    Action::Machine {
        name: name.into(),
        instance_type: "large".into(),
        vcpus: Vcpus(4),
        memory_mib: Mib(8192),
        image: ImageQuery { family, name: system.into(), version: None, architecture: Architecture::X86_64 },
        subnet: "shop-front".into(),
        security_groups: vec!["shop-web".into()],
        key_pair: "shop-key".into(),
        root_disk_gib: Some(Gib(60)),
        root_disk_class: None,
    }
}

/// One of everything, and a name that means harm.
fn everything() -> Vec<Action> {
    let hostile = "x\"${file(\"/etc/passwd\")}%{ if true }\n}";
    vec![
        Action::Network { name: "shop".into(), cidr: "10.8.0.0/16".into() },
        Action::Subnet {
            name: "shop-front".into(),
            network: "shop".into(),
            cidr: "10.8.0.0/20".into(),
            zone: Some("zone-a".into()),
        },
        Action::SecurityGroup {
            name: "shop-web".into(),
            network: "shop".into(),
            rules: vec![
                rule("tcp", Some((443, 443)), "0.0.0.0/0"),
                rule("udp", Some((8000, 8010)), "10.0.0.0/8"),
                rule("icmp", None, "10.0.0.0/8"),
                rule("*", None, "10.8.0.0/16"),
            ],
        },
        Action::KeyPair { name: "shop-key".into() },
        machine("web-1", "Ubuntu 22.04.3 LTS", OsFamily::Linux),
        machine("web-2", "Microsoft Windows Server 2022", OsFamily::Windows),
        machine(hostile, "Ubuntu 22.04.3 LTS", OsFamily::Linux),
        Action::Disk { name: "web-1-d1".into(), class: Some("fast".into()), size_gib: Gib(200), zone: None },
        Action::Disk { name: "web-1-d2".into(), class: None, size_gib: Gib(100), zone: None },
        Action::Attachment { name: "web-1-d1-at".into(), disk: "web-1-d1".into(), machine: "web-1".into() },
        Action::Attachment { name: "web-1-d2-at".into(), disk: "web-1-d2".into(), machine: "web-1".into() },
        Action::PublicAddress { name: "web-1-ip".into(), machine: "web-1".into() },
        Action::LoadBalancer {
            name: "shop-lb".into(),
            subnet: "shop-front".into(),
            public: true,
            protocol: "tcp".into(),
            port: 443,
            member_port: 8443,
            members: vec!["web-1".into(), "web-2".into()],
            health_check: Some(HealthCheck {
                protocol: "http".into(),
                port: Some(8080),
                interval_seconds: Some(10),
                timeout_seconds: Some(5),
                threshold: Some(3),
            }),
        },
        Action::KubernetesCluster {
            name: "shop-k8s".into(),
            version: Some("1.33".into()),
            subnets: vec!["shop-front".into()],
            security_groups: vec!["shop-web".into()],
            key_pair: "shop-key".into(),
            instance_type: "large".into(),
            nodes: 3,
        },
        Action::Approval { name: "go".into(), text: "Go on?".into() },
    ]
}

fn modules() -> (Vec<Module>, Vec<String>) {
    let steps = PLACES.iter().flat_map(|(provider, region)| {
        everything().into_iter().map(|action| step(provider, region, action)).collect::<Vec<_>>()
    });
    let other = step("kt-classic", "KOR-Seoul", Action::KeyPair { name: "k".into() });
    let (modules, findings) = export(&plan(steps.chain([other]).collect()));
    let told = findings.iter().map(|finding| format!("{} {}", finding.code, finding.summary)).collect();
    (modules, told)
}

#[test]
fn every_provider_s_module_is_as_it_was() {
    let golden = root().join("tests/opentofu/golden");
    let (modules, _) = modules();
    assert_eq!(modules.len(), PLACES.len());
    let mut fresh: BTreeMap<PathBuf, String> = BTreeMap::new();
    for module in modules {
        for (name, text) in module.files {
            fresh.insert(golden.join(&module.folder).join(name), text);
        }
    }
    for (path, text) in fresh {
        if std::env::var_os("CARAFE_UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(&path, &text).expect("writable");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "{} is stale: CARAFE_UPDATE_DOCS=1 cargo test --test opentofu", path.display());
    }
}

#[test]
fn what_is_in_no_module_is_told() {
    let (_, told) = modules();
    let expected = [
        "TOF-003 gcp/asia-northeast3: load balancer \"shop-lb\" listens on port 443, and Google's pass it on to the same port, not to 8443",
        "TOF-003 tencent/ap-seoul: key pair \"shop-key\" is called \"shop_key\", as Tencent Cloud takes letters, digits and underscores, at most 25",
        "TOF-003 kt/KR1: public address \"web-1-ip\" is left out: KT Cloud makes it in its console or by an API that no plug-in speaks",
        "TOF-001 no module is written for kt-classic, only for alibaba, aws, azure, gcp, ibm, kt, ncp, nhn, oci, openstack, tencent",
        "TOF-002 11 steps are done by people, hooks or checks and are in no module",
    ];
    for line in expected {
        assert!(told.iter().any(|told| told == line), "{line}\n{told:#?}");
    }
}

#[test]
fn a_name_that_means_harm_is_text_and_nothing_else() {
    let (modules, _) = modules();
    for module in modules {
        let text: String = module.files.values().cloned().collect();
        assert!(text.contains(r#"x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"#), "{}", module.folder);
        // Templates that are written begin with our own variables.
        let ours = ["${var.", "${k}", "${v}"];
        for (place, _) in text.match_indices("${") {
            let is_text = text[..place].ends_with('$');
            assert!(
                is_text || ours.iter().any(|own| text[place..].starts_with(own)),
                "{}",
                &text[place..][..30]
            );
        }
    }
}

#[test]
fn every_reference_leads_to_a_resource_or_variable_of_its_module() {
    for module in modules().0 {
        let main = &module.files["main.tf"];
        let variables = &module.files["variables.tf"];
        let words = main.split(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)));
        for word in words {
            let mut parts = word.split('.');
            match (parts.next().unwrap_or_default(), parts.next(), parts.next()) {
                ("var", Some(name), _) => {
                    assert!(variables.contains(&format!("variable \"{name}\"")), "{}: {word}", module.folder);
                }
                (kind, Some(name), Some(_)) if main.contains(&format!("resource \"{kind}\"")) => {
                    let head = format!("resource \"{kind}\" \"{name}\"");
                    assert!(main.contains(&head), "{}: {word}", module.folder);
                }
                _ => {}
            }
        }
    }
}

/// The blocks of a file as a parser of somebody else's reads them.
fn blocks(file: &str, text: &str) -> Vec<hcl_edit::structure::Block> {
    let body: hcl_edit::structure::Body =
        text.parse().unwrap_or_else(|error| panic!("{file}: {error}\n{text}"));
    body.into_blocks().collect()
}

#[test]
fn every_file_is_read_by_another_parser_with_every_resource_in_it_once() {
    for module in modules().0 {
        for (name, text) in &module.files {
            let file = format!("{}/{name}", module.folder);
            let mut heads: Vec<String> = blocks(&file, text)
                .iter()
                .map(|block| {
                    let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
                    format!("{} {}", block.ident.as_str(), labels.join(" "))
                })
                .collect();
            let written = heads.len();
            assert_eq!(
                written,
                text.lines().filter(|line| line.ends_with('{') && !line.starts_with(' ')).count()
            );
            heads.sort_unstable();
            heads.dedup();
            assert_eq!(heads.len(), written, "{file} has a block twice");
        }
    }
}

#[test]
fn a_name_that_leads_nowhere_is_an_error_at_its_step() {
    let address = Action::PublicAddress { name: "ip".into(), machine: "gone".into() };
    let (_, findings) = export(&plan(vec![step("oci", "r", address)]));
    let broken: Vec<_> = findings.iter().filter(|finding| finding.code == "TOF-004").collect();
    assert_eq!(broken.len(), 1, "{findings:?}");
    assert_eq!(broken[0].place.pointer.as_deref(), Some("/steps/0/action"));
}

#[test]
fn regions_whose_names_look_alike_get_folders_of_their_own() {
    let network = || Action::Network { name: "n".into(), cidr: "10.8.0.0/16".into() };
    let steps = ["RegionOne", "regionone", "region.one"].map(|region| step("openstack", region, network()));
    let (modules, _) = export(&plan(steps.into()));
    let folders: Vec<&str> = modules.iter().map(|module| module.folder.as_str()).collect();
    assert_eq!(folders, ["openstack-regionone", "openstack-region-one", "openstack-regionone-2"]);
}

#[test]
fn the_readme_tells_what_no_module_does() {
    let approval = Action::Approval { name: "go".into(), text: "Go | on?\n# <b>".into() };
    let other = step("kt-classic", "KOR-Seoul", Action::KeyPair { name: "k".into() });
    let network = Action::Network { name: "n".into(), cidr: "10.8.0.0/16".into() };
    let plan = plan(vec![step("aws", "r", network), other, step("aws", "r", approval)]);
    let (modules, findings) = export(&plan);
    let page = carafe::opentofu::readme::readme(&plan, &modules, &findings);
    assert!(page.contains("| aws-r | aws/r | hashicorp/aws "), "{page}");
    assert!(page.contains("1. Make by other means, in kt-classic/KOR-Seoul: key pair k.\n"), "{page}");
    assert!(page.contains("2. Approval go: Go \\| on? \\# \\<b\\>\n"), "{page}");
    assert!(page.contains("- TOF-001: no module is written for kt-classic"), "{page}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_a_name_holds_it_is_read_back_as_it_was(name in "(\\PC|[\u{0}-\u{1f}\"\\\\]|[$%]\\{|~?\\}){0,40}") {
        let network = Action::Network { name: name.clone(), cidr: "10.8.0.0/16".into() };
        let (modules, _) = export(&plan(vec![step("oci", "r", network)]));
        let main = blocks("main.tf", &modules[0].files["main.tf"]);
        let vcn = main.iter().find(|block| block.labels.first().is_some_and(|label| label.as_str() == "oci_core_vcn"));
        let read = vcn.and_then(|block| block.body.get_attribute("display_name")).map(|found| found.value.clone());
        let read = read.expect("the network has a name");
        proptest::prop_assert_eq!(read.as_str(), Some(name.as_str()));
    }
}
