//! Plans carried out on a simulated cloud: rehearsed, applied, looked at, resumed, undone.

use std::process::Stdio;

use carafe::store::{Journal, NewRun, SqliteJournal};

use crate::support::Folder;

/// A folder with a plan of one host, whose data a person has to copy.
pub fn planned() -> Folder {
    let folder = Folder::new();
    folder.write(
        "estate.json",
        r#"{"carafe": "estate/1", "name": "shop", "hosts": [{"id": "web-1", "name": "web-1", "vcpus": 2,
        "memory_mib": 4096, "architecture": "x86_64", "disks": [{"name": "sda", "size_gib": 40}],
        "os": {"family": "linux", "name": "Ubuntu 22.04"}}]}"#,
    );
    folder.done("plan estate.json -o plan.json");
    folder
}

/// The only run of the default journal.
fn run(folder: &Folder) -> String {
    run_in(folder, "")
}

/// The only run of a journal.
fn run_in(folder: &Folder, journal: &str) -> String {
    let status = folder.done(&format!("status --format json {journal}")).json();
    assert_eq!(status["runs"].as_array().map(Vec::len), Some(1), "{status}");
    status["runs"][0]["run"].as_str().expect("a run has a name").to_owned()
}

#[test]
fn a_dry_run_changes_nothing_and_says_by_its_code_when_asked() {
    let folder = planned();
    let dry = folder.done("apply plan.json --dry-run --simulate");
    assert!(dry.stdout.contains("to make") && dry.stdout.contains("nothing was changed"), "{}", dry.stdout);
    assert_eq!(folder.run("apply plan.json --dry-run --simulate --detailed-exitcode").code, 2);
    assert_eq!(folder.names(), ["estate.json", "plan.json"], "a dry run leaves nothing behind");
    assert!(folder.done("status").stdout.contains("no runs yet"));
    folder.done("apply plan.json --simulate --auto-approve");
    folder.done("apply plan.json --dry-run --simulate --detailed-exitcode");
    let dry = folder.done("apply plan.json --dry-run --simulate --format json").json();
    assert_eq!(dry["changes"], false);
}

#[test]
fn what_is_applied_is_undone_and_cannot_go_on() {
    let folder = planned();
    let applied = folder.done("apply plan.json --simulate --auto-approve --format json").json();
    assert_eq!(applied["run"]["state"]["state"], "done");
    let run = run(&folder);
    assert_eq!(applied["run"]["run"], run.as_str());
    let shown = folder.done(&format!("status {run}"));
    assert!(shown.stdout.contains("machine/web-1") && shown.stdout.contains("done;"), "{}", shown.stdout);
    let undone = folder.done("destroy --simulate --auto-approve");
    assert!(undone.stdout.contains("undone;"), "{}", undone.stdout);
    folder.done(&format!("destroy {run} --simulate --auto-approve"));
    let resumed = folder.run(&format!("resume {run} --simulate"));
    assert_eq!(resumed.code, 6, "{}", resumed.stderr);
}

#[test]
fn steps_of_a_person_are_waited_for_and_confirmed() {
    let folder = planned();
    let connections = "[[connection]]\nname = \"all\"\nprovider = \"PROVIDER\"\ndriver = \"fake\"\nstate = \"cloud.json\"\n";
    let provider = folder.json("plan.json")["placements"][0]["provider"].as_str().unwrap().to_owned();
    folder.write("connections.toml", connections.replace("PROVIDER", &provider));
    let on = "--connections connections.toml";
    let waiting = folder.run(&format!("apply plan.json {on} --auto-approve"));
    assert_eq!(waiting.code, 5, "{}", waiting.stderr);
    assert!(waiting.stdout.contains("waiting"), "{}", waiting.stdout);
    let run = run(&folder);
    assert!(
        waiting.stderr.contains(&format!("carafe resume {run} {on} --confirm all")),
        "{}",
        waiting.stderr
    );
    let again = folder.run(&format!("apply plan.json {on} --auto-approve"));
    assert_eq!(again.code, 5, "the plan has a run that is not over\n{}", again.stderr);
    let wrong = folder.run(&format!("resume {on} --confirm no-such-step"));
    assert_eq!(wrong.code, 4, "{}", wrong.stderr);
    folder.done(&format!("resume {on} --confirm all"));
    let unsaid = folder.run(&format!("destroy {on} --auto-approve"));
    assert_eq!(unsaid.code, 2, "machines hold data\n{}", unsaid.stderr);
    assert!(unsaid.stderr.contains("--destroy-data shop"), "{}", unsaid.stderr);
    folder.done(&format!("destroy {on} --auto-approve --destroy-data shop"));
}

#[test]
fn a_run_that_another_process_works_on_is_left_to_it() {
    let folder = planned();
    folder.done("apply plan.json --simulate --auto-approve --journal journal.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let held = runtime.block_on(async {
        let journal = SqliteJournal::open(&folder.path("journal.db")).await.unwrap();
        let run = journal.runs().await.unwrap().remove(0).run;
        journal.lock(&run).await.unwrap()
    });
    let locked = folder.run("destroy --simulate --auto-approve --journal journal.db");
    assert_eq!(locked.code, 7, "{}", locked.stderr);
    let status = folder.done("status --journal journal.db --format json").json();
    assert_eq!(status["runs"][0]["state"]["state"], "running");
    drop(held);
    folder.done("destroy --simulate --auto-approve --journal journal.db");
}

#[test]
fn nothing_is_changed_without_a_yes_or_without_a_target() {
    let folder = planned();
    let unasked = folder.run("apply plan.json --simulate");
    assert_eq!(unasked.code, 2);
    assert!(unasked.stderr.contains("--auto-approve"), "{}", unasked.stderr);
    let nowhere = folder.run("apply plan.json --auto-approve");
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("--simulate"), "{}", nowhere.stderr);
    assert_eq!(folder.done("status --format json").json()["runs"], serde_json::json!([]), "no run was begun");
    let missing = folder.run("status --journal nowhere.db");
    assert_eq!(missing.code, folder.run("report nowhere.json --html x.html").code, "{}", missing.stderr);
    folder.done("apply plan.json --simulate --auto-approve");
    assert_eq!(folder.run("destroy --simulate").code, 2);
    assert_eq!(folder.run("resume no-such-run --simulate").code, 1);
}

#[test]
fn a_connections_file_with_mistakes_is_told_with_all_of_them() {
    let folder = planned();
    folder.write(
        "connections.toml",
        "[[connection]]\nname = \"a\"\nprovider = \"aws\"\ndriver = \"fkae\"\nregon = \"x\"\n",
    );
    let ended = folder.run("apply plan.json --connections connections.toml --auto-approve");
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("stopped by") && ended.stderr.contains("CON-004"), "{}", ended.stderr);
    let doctor = folder.run("doctor");
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("connections"), "{}", doctor.stdout);
}

#[test]
fn the_doctor_finds_what_is_there() {
    let folder = planned();
    let before = folder.done("doctor").stdout;
    assert!(before.contains("none yet"), "{before}");
    assert!(!folder.has("home"), "looking makes nothing");
    folder.done("apply plan.json --simulate --auto-approve");
    let after = folder.done("doctor --format json").json();
    assert!(after["checks"][1]["found"].as_str().unwrap().ends_with("holds 1 run"), "{after}");
    folder.write("journal.db", "no journal at all, but long enough to be taken for one by its size alone");
    assert_eq!(folder.run("doctor --journal journal.db").code, 1);
    let mut lost = folder.command(["doctor"]);
    lost.env_remove("HOME").stdout(Stdio::piped());
    assert_eq!(crate::support::ended(lost).code, 1);
}

/// A connections file that keeps its simulated cloud in `cloud.json`, with more settings if need be.
pub fn connect(folder: &Folder, more: &str) -> &'static str {
    let provider = folder.json("plan.json")["placements"][0]["provider"].as_str().expect("placed").to_owned();
    let text = format!(
        "[[connection]]\nname = \"all\"\nprovider = \"{provider}\"\ndriver = \"fake\"\nstate = \"cloud.json\"\n{more}"
    );
    folder.write("connections.toml", text);
    "--connections connections.toml"
}

#[test]
fn a_run_is_undone_and_resumed_only_where_it_was_applied() {
    let folder = planned();
    let on = connect(&folder, "");
    assert_eq!(folder.run(&format!("apply plan.json {on} --auto-approve --journal j.db")).code, 5);
    for verb in ["destroy --auto-approve", "resume"] {
        let elsewhere = folder.run(&format!("{verb} --simulate --journal j.db"));
        assert_eq!(elsewhere.code, 2, "{}", elsewhere.stderr);
        let connections = folder.path("connections.toml");
        let right = format!("--connections {} --journal j.db", connections.display());
        assert!(elsewhere.stderr.contains(&right), "{}", elsewhere.stderr);
    }
    folder.done(&format!("destroy {on} --auto-approve --destroy-data shop --journal j.db"));
    assert_eq!(
        folder.json("cloud.json")["items"],
        serde_json::json!([]),
        "nothing is left where it was made"
    );

    folder.done("apply plan.json --simulate --auto-approve --journal s.db");
    let elsewhere = folder.run(&format!("destroy {on} --auto-approve --destroy-data shop --journal s.db"));
    assert_eq!(elsewhere.code, 2, "{}", elsewhere.stderr);
    assert!(elsewhere.stderr.contains("--simulate --journal s.db"), "{}", elsewhere.stderr);
    folder.done("destroy --simulate --auto-approve --journal s.db");
}

#[test]
fn a_finished_plan_has_nothing_left_to_do_until_something_drifts() {
    let folder = planned();
    folder.done("apply plan.json --simulate --auto-approve --journal j.db");
    let again = folder.done("apply plan.json --simulate --auto-approve --journal j.db");
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    let runs = folder.done("status --journal j.db --format json").json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs}");

    let mut cloud = folder.json("j.cloud.json");
    let items = cloud["items"].as_array_mut().unwrap();
    let machine = items.iter().position(|item| item["slot"]["kind"] == "machine").unwrap();
    items.remove(machine);
    folder.write("j.cloud.json", cloud.to_string());
    let drifted = folder.run("apply plan.json --simulate --auto-approve --journal j.db");
    assert_eq!(drifted.code, 5, "{}", drifted.stderr);
    assert!(drifted.stderr.contains("is gone"), "{}", drifted.stderr);
    let run = runs["runs"][0]["run"].as_str().unwrap();
    let repair = format!("resume {run} --simulate --journal j.db --on-drift repair");
    assert!(drifted.stderr.contains(&format!("carafe {repair}")), "{}", drifted.stderr);
    folder.done(&repair);
    folder.done("apply plan.json --simulate --auto-approve --journal j.db");
    folder.done("destroy --simulate --auto-approve --journal j.db");
    assert_eq!(folder.json("j.cloud.json")["items"], serde_json::json!([]));
}

#[test]
fn a_wave_that_the_plan_does_not_have_is_a_mistake() {
    let folder = planned();
    let ended = folder.run("apply plan.json --simulate --auto-approve --wave 99");
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("no wave 99") && ended.stderr.contains("last wave is"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_says_how_to_go_on() {
    let folder = planned();
    let on = connect(&folder, "latency_ms = 300\n");
    assert_eq!(folder.run(&format!("apply plan.json {on} --auto-approve --journal j.db")).code, 5);
    let line = format!("destroy {on} --auto-approve --destroy-data shop --journal j.db --parallelism 1");
    let mut command = folder.command(line.split_whitespace());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let run = run_in(&folder, "--journal j.db");
    assert!(stderr.contains(&format!("carafe destroy {run} {on} --journal j.db")), "{stderr}");
    folder.done(&format!("destroy {on} --auto-approve --destroy-data shop --journal j.db"));
    assert_eq!(folder.json("cloud.json")["items"], serde_json::json!([]));
}

#[test]
fn one_run_that_cannot_be_read_hides_no_other() {
    let folder = planned();
    folder.done("apply plan.json --simulate --auto-approve --journal j.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let journal = SqliteJournal::open(&folder.path("j.db")).await.unwrap();
        let broken = NewRun {
            run: "20260101-000000-00000000".into(),
            plan: "broken".to_owned(),
            plan_sha256: "none".to_owned(),
            plan_json: "{".to_owned(),
            wave: None,
            binding: String::new(),
            started: 0,
        };
        journal.create(&broken).await.unwrap();
    });
    let status = folder.done("status --journal j.db").stdout;
    assert!(status.contains("unreadable") && status.contains("done;"), "{status}");
    folder.write("x.db", "x");
    let stranger = folder.run("status --journal x.db");
    assert_eq!(stranger.code, 1);
    assert!(stranger.stderr.contains("not a journal"), "{}", stranger.stderr);
    assert_eq!(folder.read("x.db"), "x");
}
