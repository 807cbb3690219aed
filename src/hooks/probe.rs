//! Looks whether what was moved works: ports, host keys, URLs.

use std::process::Stdio;
use std::time::Duration;

use carafe_model::steps::Probe;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::executor::hands::Ended;
use crate::http;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(10);

/// Looks at all of them, and tells everything that is not well.
pub(super) async fn look(client: &Result<reqwest::Client, String>, probes: &[Probe]) -> Ended {
    let mut wrong = Vec::new();
    for probe in probes {
        let looked = tokio::time::timeout(LOOK, look_at(client, probe)).await;
        let result = looked.unwrap_or_else(|_| Err(format!("no answer within {} seconds", LOOK.as_secs())));
        if let Err(why) = result {
            wrong.push(format!("{}: {why}", probe.words()));
        }
    }
    match wrong.is_empty() {
        true => Ended::Well(probes.iter().map(Probe::words).collect::<Vec<_>>().join(", ")),
        false => Ended::Badly(wrong.join("; ")),
    }
}

async fn look_at(client: &Result<reqwest::Client, String>, probe: &Probe) -> Result<(), String> {
    match probe {
        Probe::Tcp { address, port } => {
            TcpStream::connect((address.as_str(), *port)).await.map(drop).map_err(|error| error.to_string())
        }
        Probe::Http { url, status } => {
            let client = client.as_ref().map_err(Clone::clone)?;
            let answer = client.get(url).send().await.map_err(|error| http::words(&error))?;
            match answer.status().as_u16() {
                found if found == *status => Ok(()),
                found => Err(format!("it answers {found}")),
            }
        }
        Probe::SshHostKey { address, port, key } => host_key(address, *port, key).await,
    }
}

/// Asks OpenSSH's own scanner, which speaks every version of the protocol.
async fn host_key(address: &str, port: u16, key: &str) -> Result<(), String> {
    let mut wanted = key.split_whitespace();
    let (Some(kind), Some(wanted)) = (wanted.next(), wanted.next()) else {
        return Err("the key is to be written as in known_hosts, for example ssh-ed25519 AAAA…".to_owned());
    };
    let mut scan = Command::new("ssh-keyscan");
    scan.args(["-T", "5", "-p", &port.to_string(), "--", address]).stdin(Stdio::null()).kill_on_drop(true);
    let output = scan
        .output()
        .await
        .map_err(|error| format!("ssh-keyscan, a part of OpenSSH, cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let shown: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((words.next()?, words.next()?))
        })
        .collect();
    match shown.iter().find(|(found, _)| *found == kind) {
        _ if shown.is_empty() => Err("no SSH server answers".to_owned()),
        Some((_, found)) if *found == wanted => Ok(()),
        Some(_) => Err(format!("it shows another {kind} key; somebody may be in between")),
        None => Err(format!("it shows no {kind} key")),
    }
}
