//! What stands around carrying a plan out: hooks, events, rehearsals that read the target, sweeping, secrets.

use serde_json::{Value, json};

use crate::carried_out::{connect, planned};
use crate::support::{Ended, Folder, ended};

/// Runs a command line with a variable set.
fn with(folder: &Folder, line: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = folder.command(line.split_whitespace());
    command.envs(variables.iter().copied());
    ended(command)
}

#[test]
fn hooks_checks_and_approvals_are_carried_out_with_the_plan() {
    let folder = planned();
    let on = connect(&folder, "");
    folder.write(
        "hooks.toml",
        r#"[[hook]]
name = "dns"
when = "after wave 1"
command = ["sh", "-c", "cat >> told.txt; echo switched with $TOKEN"]
undo = ["sh", "-c", "echo back >> told.txt"]
secrets = { TOKEN = "env:PLANTED" }
[[approval]]
name = "go"
when = "before run"
text = "Somebody agrees."
"#,
    );
    let planted = [("PLANTED", "hunter2-in-a-hook")];
    let apply = format!("apply plan.json {on} --hooks hooks.toml --auto-approve --journal j.db");
    let waiting = with(&folder, &apply, &planted);
    assert_eq!(waiting.code, 5, "{}", waiting.stderr);
    assert!(waiting.stdout.contains("Somebody agrees."), "{}", waiting.stdout);
    assert!(!folder.has("told.txt") && !folder.has("cloud.json"), "nothing begins before the approval");
    let done = with(&folder, &format!("resume {on} --confirm all --journal j.db --json"), &planted);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["carafe"] == "events/1"), "{}", done.stdout);
    let said = |line: &Value| line["event"]["message"] == "ended with 0: switched with [secret]";
    assert!(lines.iter().any(said), "{}", done.stdout);
    assert_eq!(lines.last().unwrap()["state"]["state"], "done");
    let told = folder.read("told.txt");
    assert!(told.contains("\"step\":{") && told.contains("\"purpose\":\"run\""), "{told}");
    let destroy = format!("destroy {on} --auto-approve --destroy-data shop --journal j.db --report r.html");
    let destroyed = with(&folder, &destroy, &planted);
    assert_eq!(destroyed.code, 0, "{}", destroyed.stderr);
    assert!(folder.read("told.txt").ends_with("back\n"));
    assert!(folder.read("r.html").contains("hook/dns"));
}

#[test]
fn mistakes_in_a_hooks_file_stop_everything() {
    let folder = planned();
    folder.write("hooks.toml", "[[approval]]\nname = \"go\"\nwhen = \"before wave 9\"\ntext = \"x\"\n");
    let ended = folder.run("apply plan.json --simulate --auto-approve --hooks hooks.toml");
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("HOK-008"), "{}", ended.stderr);
}

#[test]
fn a_dry_run_tells_what_is_short_and_what_costs_something_else() {
    let folder = planned();
    let plan = folder.json("plan.json");
    let machine = plan["placements"][0]["offer"].as_str().unwrap();
    let more = format!("sales = \"{machine}=0@9.99\"\nlicences = \"linux=0\"\nread_only = 1\n");
    let on = connect(&folder, &more);
    let dry = folder.run(&format!("apply plan.json --dry-run {on} --report dry.html"));
    assert_eq!(dry.code, 4, "{}", dry.stderr);
    for code in ["RUN-106", "RUN-107", "RUN-110"] {
        assert!(dry.stderr.contains(code), "{code}\n{}", dry.stderr);
    }
    let page = folder.read("dry.html");
    assert!(page.contains("RUN-107") && page.contains("to make"), "{page}");
    let json = folder.run(&format!("apply plan.json --dry-run {on} --format json")).json();
    assert_eq!(json["dry_run"]["carafe"], "dry-run/1");
    let changed = json["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "RUN-108");
    assert!(changed, "{json}");
}

#[test]
fn what_no_journal_knows_is_found_and_removed_only_when_that_is_confirmed() {
    let folder = planned();
    let on = connect(&folder, "");
    assert_eq!(folder.run(&format!("apply plan.json {on} --auto-approve --journal lost.db")).code, 5);
    let known = folder.done(&format!("sweep {on} --journal lost.db --format json")).json();
    assert_eq!(known["orphans"], json!([]), "the journal knows all of it");
    let placed = folder.json("plan.json")["placements"][0].clone();
    let place = format!("{}/{}", placed["provider"].as_str().unwrap(), placed["region"].as_str().unwrap());
    folder.done("apply plan.json --simulate --auto-approve --journal other.db");
    let found = folder.done(&format!("sweep {on} --journal other.db --place {place} --format json")).json();
    let count = found["orphans"].as_array().unwrap().len();
    assert_eq!(count, folder.json("cloud.json")["items"].as_array().unwrap().len());
    let unasked = folder.run(&format!("sweep {on} --journal other.db --remove"));
    assert_eq!(unasked.code, 2, "{}", unasked.stderr);
    assert!(unasked.stderr.contains(&format!("--remove-count {count}")), "{}", unasked.stderr);
    folder.done(&format!("sweep {on} --journal other.db --remove --remove-count {count}"));
    assert_eq!(folder.json("cloud.json")["items"], json!([]));
}

#[test]
fn no_artefact_of_a_run_holds_a_secret() {
    const SECRETS: [&str; 4] =
        ["planted-env-7f3a", "planted-file-91bc", "planted-cmd-44de", "planted-hook-e0e1"];
    let folder = planned();
    folder.write("token.txt", format!("{}\n", SECRETS[1]));
    folder.write("print-token", format!("#!/bin/sh\necho {}\n", SECRETS[2]));
    folder.write(
        "hooks.toml",
        "[[hook]]\nname = \"leaky\"\nwhen = \"after run\"\n\
         command = [\"sh\", \"-c\", \"echo $T; echo $T >&2\"]\nsecrets = { T = \"env:HOOKED\" }\n",
    );
    for (number, reference) in ["env:PLANTED", "file:token.txt", "cmd:sh print-token"].into_iter().enumerate()
    {
        let on = connect(&folder, &format!("token = \"{reference}\"\ncalls = \"calls-{number}.json\"\n"));
        let mut printed = String::new();
        for line in [
            format!(
                "apply plan.json {on} --hooks hooks.toml --auto-approve -v --journal j{number}.db --report a{number}.html"
            ),
            format!("resume {on} --confirm all -v --json --journal j{number}.db --report b{number}.html"),
            format!("status -v --format json --journal j{number}.db"),
            format!("apply plan.json --dry-run {on} -v --report c{number}.html"),
            format!("destroy {on} --auto-approve --destroy-data shop -v --journal j{number}.db"),
        ] {
            let ended = with(&folder, &line, &[("PLANTED", SECRETS[0]), ("HOOKED", SECRETS[3])]);
            assert!([0, 5].contains(&ended.code), "{line}\n{}", ended.stderr);
            printed.push_str(&ended.stdout);
            printed.push_str(&ended.stderr);
        }
        assert!(printed.contains("hook/leaky"), "the hook was run");
        for secret in SECRETS {
            assert!(!printed.contains(secret), "{secret} was printed");
        }
    }
    let ours = ["token.txt", "print-token", "home"];
    let mut read = 0;
    for name in folder.names().iter().filter(|name| !ours.contains(&name.as_str())) {
        let bytes = std::fs::read(folder.path(name)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in SECRETS {
            assert!(!text.contains(secret), "{name} holds {secret}");
        }
        read += 1;
    }
    assert!(read >= 15, "{read} files, journals and reports among them");
}
