//! From one cloud to another: the source as its own lists tell it, the target elsewhere, and the source left as it was.

use serde_json::{Value, json};

use crate::support::Folder;

/// What the source costs, so that staying can be compared with leaving.
const RATE_CARD: &str = "\
provider,region,country,item,name,vcpus,memory_gib,price,unit,currency,as_of
openstack,RegionOne,KR,machine,m1.large,4,8,0.60,hour,USD,2026-08-01
openstack,RegionOne,KR,disk,standard,,,0.05,GB-month,USD,2026-08-01
openstack,RegionOne,KR,egress,,,,0,GB,USD,2026-08-01
";

const CONNECTIONS: &str = "\
[[connection]]
name = \"source\"
provider = \"openstack\"
driver = \"fake\"
state = \"source.json\"
calls = \"source-calls.jsonl\"

[[connection]]
name = \"target\"
provider = \"aws\"
driver = \"fake\"
state = \"target.json\"
";

/// The machines of the source as Nova lists them.
fn servers(names: &[String]) -> Value {
    let server = |(number, name): (usize, &String)| {
        json!({
            "id": format!("51a31efd-09ec-45a9-904f-f79fb41d67a{number}"), "name": name, "status": "ACTIVE", "tenant_id": "t",
            "image": {"id": "img"}, "flavor": {"original_name": "m1.large", "vcpus": 4, "ram": 8192, "disk": 40},
            "addresses": {"net": [{"addr": format!("10.0.0.{}", number + 10), "OS-EXT-IPS:type": "fixed"}]},
        })
    };
    json!({"servers": names.iter().enumerate().map(server).collect::<Vec<_>>()})
}

/// The machines in a simulated cloud, and how much is in it besides.
fn there(cloud: &Value) -> (Vec<String>, usize) {
    let items = cloud["items"].as_array().expect("a list");
    let machines = items.iter().filter(|item| item["slot"]["kind"] == "machine");
    let names: Vec<String> =
        machines.map(|item| item["slot"]["name"].as_str().expect("text").to_owned()).collect();
    let others = items.len() - names.len();
    (names, others)
}

#[test]
fn a_switch_makes_the_target_and_leaves_the_source_untouched() {
    let folder = Folder::new();
    folder.write("card.csv", RATE_CARD);
    folder.write("connections.toml", CONNECTIONS);
    folder.write("stay.toml", "[targets]\nproviders = [\"openstack\"]\n");
    folder.write("leave.toml", "[targets]\nproviders = [\"aws\"]\ncountries = [\"KR\"]\n");
    folder.done("catalog import card.csv --as rate-card -o card.snapshot");

    // What runs on the source today, made there by an earlier plan.
    let host = |name: &str| json!({"id": name, "name": name, "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64"});
    let first = json!({"carafe": "estate/1", "name": "first", "hosts": [host("web-1"), host("web-2")]});
    folder.write("first.json", first.to_string());
    folder.done("plan first.json --policy stay.toml --catalog card.snapshot -o first-plan.json");
    let target = "--connections connections.toml --auto-approve --confirm all";
    folder.done(&format!("apply first-plan.json {target} --journal source.db"));
    let source = folder.read("source.json");
    let (machines, _) = there(&folder.json("source.json"));
    assert_eq!(machines.len(), 2, "{source}");
    let calls = folder.read("source-calls.jsonl");

    // Collected by its own lists, planned both ways, compared.
    folder.write("servers.json", servers(&machines).to_string());
    let image = json!({"id": "img", "name": "Ubuntu 22.04", "os_distro": "ubuntu", "os_version": "22.04", "links": []});
    folder.write("images.json", json!({"images": [image], "schema": "openstack"}).to_string());
    folder.done("inventory import servers.json images.json --name shop -o estate.json --fail-on never");
    folder.done("plan estate.json --policy stay.toml --catalog card.snapshot -o stay.json");
    folder.done("plan estate.json --policy leave.toml -o leave.json");
    let compared = folder.done("compare stay.json leave.json").stdout;
    assert!(compared.contains("openstack") && compared.contains("aws"), "{compared}");

    // Carried out on the target; the source is neither asked nor changed.
    let dry = folder.done("apply leave.json --dry-run --connections connections.toml").stdout;
    assert!(dry.contains("nothing was changed") && !dry.contains("openstack/"), "{dry}");
    folder.done(&format!("apply leave.json {target}"));
    assert_eq!(there(&folder.json("target.json")).0.len(), 2);
    assert_eq!(folder.done("compare stay.json leave.json").stdout, compared);
    folder.done("destroy --connections connections.toml --auto-approve --destroy-data shop");
    assert_eq!(there(&folder.json("target.json")), (Vec::new(), 0), "nothing is left over");
    assert_eq!(folder.read("source.json"), source, "the source is as it was");
    assert_eq!(folder.read("source-calls.jsonl"), calls, "nobody asked it anything");

    // And the source can still be undone by whoever made it.
    let own =
        "destroy --connections connections.toml --auto-approve --destroy-data first --journal source.db";
    folder.done(own);
    assert_eq!(there(&folder.json("source.json")), (Vec::new(), 0));
}
