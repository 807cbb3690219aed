//! Hypervisors with libvirt, by its own program: `virsh` knows every kind of address and key that its user has.
//!
//! Several questions go to one call of `virsh`, since each call may be a connection of its own. Its `echo` writes a mark
//! before each answer, by which they are told apart.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::asking::Basket;
use super::{Collected, Refused};

/// Questions of one call.
const TOGETHER: usize = 100;
/// What is taken from one call; the description of a machine is some kilobytes.
const MOST_OUTPUT: usize = 64 << 20;
/// What may be said of a failure.
const MOST_SAID: usize = 16 << 10;
/// Volumes of one hypervisor that are asked for.
const MOST_VOLUMES: usize = 50_000;
/// What stands before each answer.
const MARK: &str = "#@carafe";

/// Asks a hypervisor for its machines and the sizes of their disks. `uri` is an address as `virsh -c` takes it, `timeout`
/// how long one call may take.
///
/// # Errors
/// When not one machine could be read.
pub async fn collect(uri: &str, timeout: Duration) -> Result<Collected, Refused> {
    let shown = without_password(uri);
    let refused = |why: &str| {
        Refused::because(
            format!("no machine of {shown} could be collected: {why}"),
            format!("try it by hand: virsh -c {shown} list --all"),
        )
    };
    let mut basket = Basket::new(format!("libvirt {shown}"));
    let virsh = Virsh { uri, timeout };
    let (answers, said) = virsh.ask(&["list --all --uuid".to_owned()]).await.map_err(|why| refused(&why))?;
    let list = answers.into_iter().next().unwrap_or_default();
    let domains: Vec<&str> = list.lines().map(str::trim).filter(|line| is_uuid(line)).collect();
    for some in domains.chunks(TOGETHER) {
        if let Err(why) = machines(&virsh, some, &mut basket).await {
            basket.missed(&format!("{} machines", some.len()), &why, "the rest is kept; collect again");
        }
    }
    if basket.is_empty() {
        return Err(refused(if said.is_empty() { "there is none" } else { &said }));
    }
    if let Err(why) = volumes(&virsh, &mut basket).await {
        basket.missed("storage volumes", &why, "sizes of disks may be unknown");
    }
    // Running machines tell the sizes of disks that are in no pool.
    match virsh.ask(&["domstats --raw --block".to_owned()]).await {
        Ok((answers, _)) => {
            for answer in answers.into_iter().filter(|answer| answer.contains("block.count=")) {
                basket.keep("domstats", answer);
            }
        }
        Err(why) => basket.missed("block statistics", &why, "sizes of disks outside of pools may be unknown"),
    }
    Ok(basket.into_collected())
}

/// An address as it may be shown: a password has no place in it, but may stand there.
fn without_password(uri: &str) -> String {
    match (uri.split_once("://"), uri.split_once('@')) {
        (Some((scheme, _)), Some((before, after))) if before.trim_start_matches(scheme).contains("://") => {
            let user = before[scheme.len() + 3..].split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{after}")
        }
        _ => uri.to_owned(),
    }
}

async fn machines(virsh: &Virsh<'_>, some: &[&str], basket: &mut Basket) -> Result<(), String> {
    let questions: Vec<String> = some.iter().map(|uuid| format!("dumpxml {uuid}")).collect();
    let (answers, said) = virsh.ask(&questions).await?;
    for (uuid, answer) in some.iter().zip(answers) {
        match answer.trim_start().starts_with('<') {
            true if !basket.keep(format!("domain {uuid}"), answer) => return Ok(()),
            true => {}
            // Machines come and go while they are listed.
            false => basket.missed(&format!("machine {uuid}"), &said, "it may be gone; else collect again"),
        }
    }
    Ok(())
}

/// The volumes of every active pool: sizes of disks stand there.
async fn volumes(virsh: &Virsh<'_>, basket: &mut Basket) -> Result<(), String> {
    let (answers, _) = virsh.ask(&["pool-list --name".to_owned()]).await?;
    let pools: Vec<String> = answers
        .iter()
        .flat_map(|list| list.lines())
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(quoted)
        .collect();
    let mut volumes = Vec::new();
    for some in pools.chunks(TOGETHER) {
        let questions: Vec<String> = some.iter().map(|pool| format!("vol-list {pool}")).collect();
        let (answers, _) = virsh.ask(&questions).await?;
        for (pool, list) in some.iter().zip(&answers) {
            // Name and path stand in columns, at least two blanks apart.
            let rows = list.lines().filter_map(|row| row.trim().split_once("  "));
            volumes.extend(rows.map(|(name, _)| (pool, name.to_owned())));
        }
    }
    if volumes.len() > MOST_VOLUMES {
        basket.missed(
            &format!("{} of {} volumes", volumes.len() - MOST_VOLUMES, volumes.len()),
            "there are too many",
            "sizes of some disks may be unknown",
        );
        volumes.truncate(MOST_VOLUMES);
    }
    for some in volumes.chunks(TOGETHER) {
        let question =
            |(pool, name): &(&String, String)| format!("vol-dumpxml --pool {pool} {}", quoted(name));
        let (answers, _) = virsh.ask(&some.iter().map(question).collect::<Vec<_>>()).await?;
        let found = some.iter().zip(answers).filter(|(_, answer)| answer.trim_start().starts_with('<'));
        for ((pool, name), answer) in found {
            if !basket.keep(format!("volume {name} of {pool}"), answer) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A word that virsh takes as it is, whatever stands in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

struct Virsh<'a> {
    uri: &'a str,
    timeout: Duration,
}

impl Virsh<'_> {
    /// Asks several questions in one call: the answers, empty where there is none, and the last line of what was said of
    /// failures.
    async fn ask(&self, questions: &[String]) -> Result<(Vec<String>, String), String> {
        let script: Vec<String> =
            questions.iter().map(|question| format!("echo '\n{MARK}\n'; {question}")).collect();
        let mut command = Command::new("virsh");
        command.args(["--quiet", "--connect", self.uri, &script.join("; ")]).env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // In a group of its own, so that nothing it starts can ask at the terminal.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .spawn()
            .map_err(|error| format!("virsh cannot be started ({error}); install libvirt-clients"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let talk = async {
            let (output, said) = tokio::join!(take(stdout, MOST_OUTPUT), take(stderr, MOST_SAID));
            (output, said, child.wait().await)
        };
        let (output, said, _) = tokio::time::timeout(self.timeout, talk)
            .await
            .map_err(|_| format!("virsh took more than {} seconds", self.timeout.as_secs()))?;
        let said = last_line(&said);
        if output.len() > MOST_OUTPUT {
            return Err(format!("virsh answered with more than {} MiB", MOST_OUTPUT >> 20));
        }
        let output = String::from_utf8_lossy(&output);
        let answers: Vec<String> = output
            .split(&format!("{MARK}\n"))
            .skip(1)
            .map(|answer| answer.trim_matches('\n').to_owned())
            .collect();
        match answers.len() == questions.len() {
            true => Ok((answers, said)),
            false if said.is_empty() => Err("virsh did not answer in full".to_owned()),
            false => Err(said),
        }
    }
}

/// Everything up to a limit and one byte beyond it; the rest is let go.
async fn take(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    if let Some(stream) = stream {
        // What came before a connection broke is looked at all the same.
        let _ = stream.take(most as u64 + 1).read_to_end(&mut taken).await;
    }
    taken
}

fn last_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().trim_start_matches("error: ").chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_addresses_are_made_fit() {
        assert_eq!(quoted("a b'; destroy c"), "'a b'\\''; destroy c'");
        assert_eq!(without_password("qemu+ssh://ann:hunter2@hv/system"), "qemu+ssh://ann@hv/system");
        assert_eq!(without_password("qemu+ssh://ann@hv/system"), "qemu+ssh://ann@hv/system");
        assert_eq!(without_password("qemu:///system"), "qemu:///system");
    }
}
