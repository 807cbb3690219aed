//! A hook that is a command: started without a shell, told by environment and standard input, and ended when its time is
//! over.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{MOST_OUTPUT, told, with_output};
use crate::drivers::secret::Secret;
use crate::executor::hands::{Ended, Errand};

/// What is kept of the output while it comes in: secrets may still be in it, so more than is shown.
const KEPT: usize = 4 * MOST_OUTPUT;

pub(super) async fn run(errand: &Errand<'_>, command: &[String], secrets: &[(&str, Secret)]) -> Ended {
    let Some((program, arguments)) = command.split_first() else {
        return Ended::Badly("there is no command".to_owned());
    };
    let mut child = match prepared(errand, program, arguments, secrets).spawn() {
        Ok(child) => child,
        Err(error) => return Ended::Badly(format!("{program} cannot be started: {error}")),
    };
    let group = child.id();
    let timeout = Duration::from_secs(u64::from(errand.timeout_s));
    match tokio::time::timeout(timeout, to_its_end(&mut child, told(errand))).await {
        Ok(Ok((status, output))) => {
            let shown = shown(&output);
            match status.code() {
                Some(0) => Ended::Well(with_output("ended with 0".to_owned(), shown)),
                Some(code) => Ended::Badly(with_output(format!("ended with {code}"), shown)),
                None => Ended::Unknown(with_output("ended by a signal".to_owned(), shown)),
            }
        }
        Ok(Err(error)) => Ended::Unknown(format!("its output was lost: {error}")),
        Err(_) => {
            end_group(group).await;
            // Ended for sure, so that nothing of it goes on beside the next try.
            let _ = child.kill().await;
            Ended::Unknown(format!("it did not end within {} seconds, and was ended", errand.timeout_s))
        }
    }
}

fn prepared(errand: &Errand<'_>, program: &str, arguments: &[String], secrets: &[(&str, Secret)]) -> Command {
    let step = errand.step;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .env("CARAFE_RUN", errand.run.as_str())
        .env("CARAFE_STEP", step.id.as_str())
        .env("CARAFE_KEY", errand.key)
        .env("CARAFE_PURPOSE", errand.purpose)
        .env("CARAFE_WAVE", step.wave.to_string())
        .env("CARAFE_NAME", step.action.name())
        .envs(secrets.iter().map(|(name, secret)| (*name, secret.expose())));
    // In a group of its own: Ctrl-C is meant for this program, which lets the hook come to its end.
    #[cfg(unix)]
    command.process_group(0);
    command
}

async fn to_its_end(child: &mut Child, told: String) -> std::io::Result<(std::process::ExitStatus, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // Whoever does not want to know closes it.
            let _ = stdin.write_all(told.as_bytes()).await;
        }
    };
    let ((), out, err, status) = tokio::join!(tell, tail(stdout), tail(stderr), child.wait());
    let mut output = out?;
    output.extend(err?);
    Ok((status?, output))
}

/// Reads to the end and keeps the last of it.
async fn tail(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let Some(mut stream) = stream else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(&chunk[..read]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

fn shown(output: &[u8]) -> &[u8] {
    &output[output.len().saturating_sub(MOST_OUTPUT)..]
}

/// Ends the hook with everything it started.
#[cfg(unix)]
async fn end_group(group: Option<u32>) {
    let Some(group) = group else { return };
    let mut kill = Command::new("kill");
    kill.args(["-KILL", "--", &format!("-{group}")]).stdout(Stdio::null()).stderr(Stdio::null());
    // Without the tool the command itself is still ended, by the caller.
    let _ = kill.status().await;
}

#[cfg(not(unix))]
async fn end_group(_: Option<u32>) {}
