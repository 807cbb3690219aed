//! The real program at work on the control plane, in a folder of its own, and what another client sees of it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::plan;
use crate::world::World;

/// A folder with a plan, a connections file and a journal.
pub struct Program<'w> {
    world: &'w World<'w>,
    folder: tempfile::TempDir,
}

impl Program<'_> {
    pub fn new<'w>(world: &'w World<'w>) -> Program<'w> {
        let program = Program { world, folder: tempfile::tempdir().expect("a folder") };
        program.write("connections.toml", &world.connection(&[]));
        program.write("plan.json", &plan::plan("m1.tiny", "Debian GNU/Linux 12").to_string());
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a temporary file");
    }

    fn run(&self, verb: &str) -> Output {
        let words: &[&str] = match verb {
            "apply" => &["apply", "plan.json", "--auto-approve"],
            "destroy" => &["destroy", "--auto-approve", "--destroy-data", "erp"],
            verb => &[verb],
        };
        Command::new(env!("CARGO_BIN_EXE_carafe"))
            .args(words)
            .args(["--connections", "connections.toml", "--journal", "journal.db", "--quiet"])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("OS_PASSWORD", self.world.server.variable("OS_PASSWORD"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program was built for this test")
    }

    /// Runs a command to its end, which must be a good one.
    pub fn done(&self, verb: &str) {
        let output = self.run(verb);
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What the client of the OpenStack project sees that the plan is about: how many of each, with their state.
pub fn seen(world: &World<'_>) -> Vec<String> {
    let mut seen = Vec::new();
    for (words, columns) in [
        (&["network", "list", "--internal"][..], &["Name"][..]),
        (&["subnet", "list"], &["Name", "Subnet"]),
        (&["router", "list"], &["Name", "Status"]),
        (&["keypair", "list"], &["Name"]),
        (&["server", "list"], &["Name", "Status"]),
        (&["volume", "list", "--long"], &["Name", "Status", "Size", "Type"]),
        (&["loadbalancer", "list"], &["name", "provisioning_status"]),
    ] {
        let listed = world.server.client(words);
        for row in listed.as_array().into_iter().flatten() {
            let told: Vec<String> =
                columns.iter().map(|column| row[*column].to_string().replace('"', "")).collect();
            // The outside network is everybody's, and the contract has a person make this key pair.
            if !told.iter().any(|word| word.starts_with("203.0.113") || word == "cf-person") {
                seen.push(format!("{} {}", words[0], told.join(" ")));
            }
        }
    }
    let groups = world.server.client(&["security", "group", "list"]);
    let named = |row: &&Value| row["Name"] != "default";
    seen.extend(
        groups.as_array().into_iter().flatten().filter(named).map(|row| format!("group {}", row["Name"])),
    );
    let addresses = world.server.client(&["floating", "ip", "list"]);
    let plugged = |row: &Value| !row["Port"].is_null();
    seen.extend(addresses.as_array().into_iter().flatten().map(|row| format!("address {}", plugged(row))));
    let ports = world.server.client(&["port", "list"]);
    seen.push(format!("{} ports", ports.as_array().map_or(0, Vec::len)));
    seen.sort();
    seen
}
