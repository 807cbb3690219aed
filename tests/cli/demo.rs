//! The demo, end to end.

use crate::support::{Folder, ended};

#[test]
fn the_demo_keeps_its_promises_and_can_be_run_again() {
    let folder = Folder::new();
    let first = folder.done("demo");
    assert_eq!(folder.names(), ["carafe-demo"], "nothing outside its folder");
    for name in ["estate.json", "plan.json", "report.html"] {
        assert!(folder.has(&format!("carafe-demo/{name}")), "{name}");
    }
    let plan = folder.json("carafe-demo/plan.json");
    assert!(plan["placements"].as_array().unwrap().len() >= 12, "a realistic estate");
    assert!(!plan["staying"].as_array().unwrap().is_empty(), "one host cannot move");
    assert!(first.stdout.contains("undone;"), "{}", first.stdout);
    folder.write("carafe-demo/notes.txt", "mine");
    let report = folder.read("carafe-demo/report.html");
    folder.done("demo");
    assert_eq!(folder.read("carafe-demo/report.html"), report, "the same again");
    assert_eq!(folder.read("carafe-demo/notes.txt"), "mine");
}

#[test]
fn the_commands_it_shows_work_as_they_stand() {
    let folder = Folder::new();
    let demo = folder.done("demo it's-a-demo");
    let program = env!("CARGO_BIN_EXE_carafe");
    let (steps, next) = demo.stdout.split_once("Try next").expect("what to try next");
    assert_eq!(steps.matches("\n  $ ").count(), 6, "{steps}");
    let commands: Vec<&str> = next.lines().filter(|line| line.contains(program)).collect();
    assert_eq!(commands.len(), 3, "{next}");
    for command in commands {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", command]).current_dir(folder.path("."));
        let ended = ended(shell);
        assert_eq!(ended.code, 0, "{command}\n{}", ended.stderr);
    }
}

#[test]
fn a_folder_that_is_not_the_demo_s_own_is_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("mine")).unwrap();
    folder.write("mine/plan.json", "precious");
    let refused = folder.run("demo mine");
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert_eq!(folder.read("mine/plan.json"), "precious");
    folder.write("file", "");
    assert_eq!(folder.run("demo file").code, 1);
}
