//! What goes to which stream, and in which colour.

use std::process::Stdio;

use crate::support::{Folder, ended};

const ESTATE: &str = r#"{"carafe": "estate/1", "name": "shop", "hosts": [{"id": "web-1", "name": "web-1",
    "vcpus": 2, "memory_mib": 4096, "disks": [{"name": "sda", "size_gib": 40}]}]}"#;

#[test]
fn data_goes_to_standard_output_and_nothing_else_does() {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    let shown = folder.done("inventory show estate.json");
    assert!(shown.stdout.contains("web-1"), "{}", shown.stdout);
    let failed = folder.run("inventory show missing.json");
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    assert!(failed.stderr.contains("error[IO-001]"), "{}", failed.stderr);
}

#[test]
fn json_is_one_value_with_findings_and_counts() {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    let shown = folder.done("inventory show estate.json --format json").json();
    assert_eq!(shown["hosts"][0]["id"], "web-1");
    assert_eq!(shown["totals"]["disk_gib"], 40);
    folder.write("estate.json", ESTATE.replace("\"vcpus\": 2", "\"vcpus\": -2"));
    let refused = folder.run("inventory show estate.json --format json");
    assert_eq!(refused.code, 4);
    let refused = refused.json();
    assert_eq!(refused["findings"][0]["code"], "DOC-004");
    assert_eq!(refused["findings"][0]["place"]["pointer"], "/hosts/0/vcpus");
    assert_eq!(refused["counts"]["error"], 1);
}

#[test]
fn colour_is_for_terminals_or_when_asked_for() {
    let folder = Folder::new();
    let coloured = |line: &str, no_color: Option<&str>| {
        let mut command = folder.command(line.split(' '));
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        ended(command).stderr.contains('\u{1b}')
    };
    assert!(!coloured("inventory show missing.json", None));
    assert!(coloured("inventory show missing.json --color always", None));
    assert!(coloured("inventory show missing.json --color always", Some("1")), "the flag wins");
    assert!(!coloured("inventory show missing.json --color never", None));
    assert!(coloured("--color always inventory", None), "help follows the flag");
    assert!(!coloured("--color never inventory", None));
}

#[test]
fn text_from_a_file_cannot_steer_the_terminal() {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE.replace("\"shop\"", "\"a\\u001b[2Jb\\u0007\""));
    let shown = folder.done("inventory show estate.json");
    assert!(shown.stdout.starts_with("a\\u{1b}[2Jb\\u{7}"), "{}", shown.stdout);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let folder = Folder::new();
    let mut command = folder.command(["schema", "plan"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn quiet_says_errors_only() {
    let folder = Folder::new();
    folder.write("estate.json", ESTATE);
    assert_eq!(folder.done("-q inventory show estate.json").stderr, "");
    assert!(folder.run("-q inventory show missing.json").stderr.contains("IO-001"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let folder = Folder::new();
    let mut command = folder.command(["schema", "plan"]);
    command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let ended = ended(command);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("IO-009"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_with_its_own_code() {
    use std::io::Write;
    let folder = Folder::new();
    let mut command = folder.command(["inventory", "show", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The program waits for the end of its input, which never comes; it is known to have started once the pipe is full.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&[b' '; 1 << 20]).unwrap();
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    drop(stdin);
}
