//! The real program at work on the control plane, in a folder of its own, and what another client sees of it.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

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
        program.connection(&[]);
        program.plan(&plan::plan("m1.tiny", "Debian GNU/Linux 12"));
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a temporary file");
    }

    pub fn plan(&self, plan: &Value) {
        self.write("plan.json", &plan.to_string());
    }

    /// Writes `connections.toml`; `change` replaces settings.
    pub fn connection(&self, change: &[(&str, &str)]) {
        self.write("connections.toml", &self.world.connection(change));
    }

    fn begin(&self, line: &str, password: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_carafe"))
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("OS_PASSWORD", password)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built for this test")
    }

    /// Runs a command line whose arguments hold no spaces to its end.
    fn run(&self, line: &str) -> Output {
        let password = self.world.server.variable("OS_PASSWORD");
        self.begin(line, password).wait_with_output().expect("our own child")
    }

    /// Runs a command line to its end, which must be a good one.
    fn done(&self, line: &str) {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn line(&self, verb: &str) -> String {
        let words = match verb {
            "apply" => "apply plan.json --auto-approve --confirm all".to_owned(),
            "destroy" => {
                let plan = std::fs::read(self.path("plan.json")).expect("it is there");
                let plan: Value = serde_json::from_slice(&plan).expect("JSON");
                let name = plan["name"].as_str().expect("every plan has one");
                format!("destroy --auto-approve --destroy-data {name}")
            }
            verb => panic!("{verb} changes nothing"),
        };
        format!("{words} --connections connections.toml --journal journal.db --quiet")
    }

    /// Runs `apply` or `destroy` on the control plane, which must end well.
    pub fn carried_out(&self, verb: &str) {
        self.done(&self.line(verb));
    }

    /// What a dry run says, findings and all.
    pub fn dry_run(&self, password: &str) -> String {
        let line =
            "apply plan.json --dry-run --format json --connections connections.toml --journal journal.db";
        let output = self.begin(line, password).wait_with_output().expect("our own child");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said + &String::from_utf8_lossy(&output.stderr)
    }
}

/// What the client of the OpenStack project sees that a plan is about: how many of each, with their state.
pub fn seen(world: &World<'_>) -> Vec<String> {
    let asked: [(&str, &str, &[&str]); 10] = [
        ("network", "network list --internal", &["Name"]),
        ("subnet", "subnet list", &["Name", "Subnet"]),
        ("router", "router list", &["Name", "Status"]),
        ("keypair", "keypair list", &["Name"]),
        ("server", "server list", &["Name", "Status"]),
        ("volume", "volume list --long", &["Name", "Status", "Size", "Type"]),
        ("loadbalancer", "loadbalancer list", &["name", "provisioning_status"]),
        ("group", "security group list", &["Name"]),
        ("address", "floating ip list", &["Port"]),
        ("port", "port list", &["Status"]),
    ];
    let answers = world.server.client(asked.map(|(_, words, _)| words));
    let mut seen = Vec::new();
    for ((kind, _, columns), rows) in asked.iter().zip(answers) {
        for row in rows.as_array().into_iter().flatten() {
            let cells = columns.iter().map(|column| match &row[*column] {
                Value::String(_) if *kind == "address" => "plugged".to_owned(),
                cell => cell.to_string().replace('"', ""),
            });
            seen.push(format!("{kind} {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    // The outside network is everybody's, and every project has a default group.
    seen.retain(|line| !line.contains(" 203.0.113") && line != "group default");
    seen.sort();
    seen
}
