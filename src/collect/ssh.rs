//! Linux hosts over the user's own OpenSSH: keys, agent, jump hosts and known hosts are those of the user's configuration.
//!
//! One script goes to the standard input of a shell on every host. It installs nothing, writes nothing and needs no
//! administrator. A host that cannot be asked costs only itself: it becomes a finding.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use carafe_inventory::collected::ssh::{Collection, HostOutput, problem};
use carafe_model::finding::{Finding, Place};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What runs on every host.
const SCRIPT: &str = include_str!("ssh.sh");

/// What is taken from a host besides its samples. The script keeps every section well below that.
const MOST_OUTPUT: usize = 24 << 20;

/// What SSH may say of a failure.
const MOST_SAID: usize = 4 << 10;

/// What is asked of every host.
#[derive(Clone, Debug)]
pub struct Request {
    /// Hosts as the user's SSH configuration knows them: `host`, `user@host` or `ssh://user@host:port`.
    pub targets: Vec<String>,
    /// A configuration file instead of the user's own.
    pub config: Option<PathBuf>,
    /// Ask for more with `sudo -n`.
    pub sudo: bool,
    /// Hosts that are asked at the same time.
    pub parallel: usize,
    /// How long one host may take beside the time of sampling.
    pub timeout: Duration,
    /// How often each host is sampled; one is a single look.
    pub samples: u32,
    /// Time between two samples.
    pub every: Duration,
}

/// Asks every host; `done` is called as each comes to its end. Hosts keep the order of the request.
pub async fn collect(request: Request, done: impl Fn()) -> (Collection, Vec<Finding>) {
    let room = Arc::new(Semaphore::new(request.parallel.max(1)));
    let request = Arc::new(request);
    let mut asked = JoinSet::new();
    let mut known = BTreeSet::new();
    for (index, target) in request.targets.iter().enumerate().filter(|(_, target)| known.insert(*target)) {
        let (room, request, target) = (Arc::clone(&room), Arc::clone(&request), target.clone());
        asked.spawn(async move {
            let _turn = room.acquire_owned().await.expect("nobody closes it");
            (index, ask(&request, &target).await)
        });
    }
    let mut answers = Vec::with_capacity(asked.len());
    while let Some(answer) = asked.join_next().await {
        answers.push(answer.expect("asking a host does not panic"));
        done();
    }
    answers.sort_by_key(|(index, _)| *index);
    let mut hosts = Vec::new();
    let mut findings = Vec::new();
    for (index, answer) in answers {
        let target = &request.targets[index];
        match answer {
            Ok(output) => hosts.push(HostOutput { target: target.clone(), output }),
            Err(failure) => findings.push(failure.finding(target, &request)),
        }
    }
    (Collection::new(hosts), findings)
}

/// Why nothing of a host is used.
enum Failure {
    /// SSH could not be started, or ended badly before the host said anything.
    Refused(String),
    Late,
    Flood,
    Broken(String),
}

impl Failure {
    /// A warning, not an error: the other hosts are used all the same.
    fn finding(self, target: &str, request: &Request) -> Finding {
        let (code, what) = match self {
            Failure::Refused(said) => ("COL-1001", format!("the host was not collected: {said}")),
            Failure::Late => {
                let seconds = request.patience().as_secs();
                ("COL-1002", format!("the host was not collected: it took more than {seconds} seconds"))
            }
            Failure::Flood => (
                "COL-1003",
                format!("the host was not collected: it answered with more than {} MiB", MOST_OUTPUT >> 20),
            ),
            Failure::Broken(said) => ("COL-1004", format!("the host was not collected: {said}")),
        };
        Finding::warning(code, what)
            .at(Place::file(format!("ssh {target}")))
            .host(target)
            .help(format!("try it by hand: ssh {target} true"))
    }
}

impl Request {
    /// How long a host may take altogether.
    fn patience(&self) -> Duration {
        self.timeout + self.every * self.samples.saturating_sub(1)
    }

    /// The command for a host. Nothing in it can ask a question or change anything on either side; what the user's
    /// configuration says beyond that holds.
    fn command(&self, target: &str) -> Command {
        let mut command = Command::new("ssh");
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        let connect = format!("ConnectTimeout={}", self.timeout.as_secs().clamp(1, 20));
        for option in [
            "BatchMode=yes",
            "ClearAllForwardings=yes",
            // A connection left open for later would keep this one's output open with it.
            "ControlMaster=no",
            "ForwardAgent=no",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "ServerAliveInterval=10",
            "ServerAliveCountMax=3",
            connect.as_str(),
        ] {
            command.arg("-o").arg(option);
        }
        let rights = if self.sudo { "sudo" } else { "user" };
        let shell = format!("sh -s {} {} {rights}", self.samples.max(1), self.every.as_secs());
        command.args(["-T", "--", target, &shell]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // In a group of its own, so that what a jump host needs ends with it.
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

async fn ask(request: &Request, target: &str) -> Result<String, Failure> {
    if target.is_empty() || target.starts_with('-') {
        return Err(Failure::Refused("this is no name of a host".to_owned()));
    }
    let mut child = request
        .command(target)
        .spawn()
        .map_err(|error| Failure::Refused(format!("ssh cannot be started: {error}")))?;
    let answer = tokio::time::timeout(request.patience(), converse(&mut child)).await;
    if !matches!(answer, Ok(Ok(_))) {
        end_group(&mut child).await;
    }
    let (output, said, status) = answer.map_err(|_| Failure::Late)??;
    let output = String::from_utf8_lossy(&output).into_owned();
    let Some(problem) = problem(&output) else { return Ok(output) };
    let said = String::from_utf8_lossy(&said);
    let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    match (output.trim().is_empty(), status.code()) {
        // SSH itself ends with 255; whatever else ends badly was let in.
        (true, Some(255)) if !said.is_empty() => Err(Failure::Refused(said.to_owned())),
        (_, _) if !said.is_empty() => Err(Failure::Broken(format!("{problem} ({said})"))),
        (_, _) => Err(Failure::Broken(problem.to_owned())),
    }
}

/// Sends the script and takes what comes, up to the end of the connection.
async fn converse(child: &mut Child) -> Result<(Vec<u8>, Vec<u8>, ExitStatus), Failure> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // A host that does not listen says why on its way out.
            let _ = stdin.write_all(SCRIPT.as_bytes()).await;
        }
        Ok(())
    };
    let listen = async {
        let output = take(stdout, MOST_OUTPUT).await.map_err(|error| Failure::Broken(error.to_string()))?;
        if output.len() > MOST_OUTPUT { Err(Failure::Flood) } else { Ok(output) }
    };
    let overhear = async { Ok(take_last(stderr, MOST_SAID).await) };
    let ((), output, said) = tokio::try_join!(tell, listen, overhear)?;
    let status = child.wait().await.map_err(|error| Failure::Broken(error.to_string()))?;
    Ok((output, said, status))
}

/// Everything up to a limit and one byte beyond it.
async fn take(stream: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Vec<u8>> {
    let mut taken = Vec::new();
    if let Some(stream) = stream {
        stream.take(most as u64 + 1).read_to_end(&mut taken).await?;
    }
    Ok(taken)
}

/// The end of what is said, however much it is.
async fn take_last(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let mut last = Vec::new();
    let Some(mut stream) = stream else { return last };
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        last.extend_from_slice(&piece[..length]);
        last.drain(..last.len().saturating_sub(most));
    }
    last
}

/// Ends SSH and whatever it started to get through a jump host.
async fn end_group(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id() {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &format!("-{group}")]).stdout(Stdio::null()).stderr(Stdio::null());
        // Without the tool SSH itself is still ended, below.
        let _ = kill.status().await;
    }
    let _ = child.kill().await;
}
