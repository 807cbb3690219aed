//! kubeconfig: which server, whom to trust, and who asks
//! (<https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde_json::{Value, json};

use crate::collect::Refused;
use crate::drivers::rest::base_url;
use crate::drivers::secret::{Secret, SecretRef};
use crate::http::Tls;
use crate::yaml::Map;

/// How long a plugin may take that fetches a credential.
const PLUGIN: Duration = Duration::from_secs(60);

/// The files of a kubeconfig; what an earlier one says goes before what later ones say.
pub struct Kubeconfig {
    files: Vec<(PathBuf, Map)>,
}

/// All that is needed to ask a server.
pub struct Access {
    /// The context by name.
    pub context: String,
    /// Address of the API server, with a slash at its end.
    pub server: Url,
    /// Whom to trust, and the client's own certificate.
    pub tls: Tls,
    /// Sent as a bearer.
    pub token: Option<Secret>,
    /// User and password.
    pub basic_auth: Option<(String, Secret)>,
}

fn refused(what: impl Into<String>) -> Refused {
    Refused::because(what, "try it by hand: kubectl --kubeconfig FILE get nodes")
}

impl Kubeconfig {
    /// Reads files; those that are not there are passed over, as `kubectl` does, unless none is.
    ///
    /// # Errors
    /// When a file cannot be read or is no YAML.
    pub fn read(paths: &[PathBuf]) -> Result<Kubeconfig, Refused> {
        let mut files = Vec::new();
        for path in paths {
            let said = |why: String| refused(format!("{}: {why}", path.display()));
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(said(error.to_string())),
            };
            files.push((path.clone(), Map::parse(&text).map_err(said)?));
        }
        if files.is_empty() {
            let looked: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Refused::because(
                format!("there is no kubeconfig: {}", looked.join(", ")),
                "name one with --kubeconfig FILE, or set KUBECONFIG",
            ));
        }
        Ok(Kubeconfig { files })
    }

    /// The entry of a list by name, and the folder that its relative paths are meant from.
    fn entry(&self, list: &str, name: &str) -> Option<(&Path, &Map)> {
        self.files.iter().find_map(|(path, file)| {
            let found = file.maps(list).find(|entry| entry.text("name") == Some(name))?;
            Some((path.parent().unwrap_or(Path::new(".")), found))
        })
    }

    /// What a context needs; without a name, the current one. A plugin is run for its credential.
    ///
    /// # Errors
    /// When something is missing, cannot be read, or is not supported.
    pub async fn access(&self, context: Option<&str>) -> Result<Access, Refused> {
        let current = || self.files.iter().find_map(|(_, file)| file.text("current-context"));
        let name = context.or_else(current).ok_or_else(|| {
            Refused::because("the kubeconfig has no current context", "name one with --context NAME")
        })?;
        let (_, context) = self.entry("contexts", name).ok_or_else(|| {
            let lists = self.files.iter().flat_map(|(_, file)| file.maps("contexts"));
            let names: Vec<&str> = lists.filter_map(|entry| entry.text("name")).collect();
            Refused::because(
                format!("there is no context \"{name}\""),
                format!("the contexts are: {}", names.join(", ")),
            )
        })?;
        let context = context.map("context");
        let cluster = context.text("cluster").unwrap_or_default();
        let (folder, entry) = self.entry("clusters", cluster).ok_or_else(|| {
            refused(format!("context \"{name}\" names the cluster \"{cluster}\", which is not there"))
        })?;
        let mut access = of_cluster(name, folder, &entry.map("cluster"))?;
        if let Some(user) = context.text("user") {
            let (folder, entry) = self.entry("users", user).ok_or_else(|| {
                refused(format!("context \"{name}\" names the user \"{user}\", which is not there"))
            })?;
            log_in(&mut access, folder, &entry.map("user")).await?;
        }
        Ok(access)
    }
}

impl Access {
    /// What must never be in a message.
    pub fn secrets(&self) -> Vec<Secret> {
        let password = self.basic_auth.iter().map(|(_, password)| password.clone());
        self.token.iter().cloned().chain(password).collect()
    }
}

fn of_cluster(context: &str, folder: &Path, cluster: &Map) -> Result<Access, Refused> {
    let server =
        cluster.text("server").ok_or_else(|| refused(format!("context \"{context}\" has no server")))?;
    for unknown in ["proxy-url", "tls-server-name"] {
        if cluster.text(unknown).is_some() {
            return Err(refused(format!("context \"{context}\" says {unknown}, which is not supported")));
        }
    }
    let tls = Tls {
        authorities: bytes(cluster, "certificate-authority", folder)?,
        identity: None,
        unproven: cluster.text("insecure-skip-tls-verify") == Some("true"),
    };
    let server = base_url("server", server).map_err(|error| refused(error.message))?;
    Ok(Access { context: context.to_owned(), server, tls, token: None, basic_auth: None })
}

async fn log_in(access: &mut Access, folder: &Path, user: &Map) -> Result<(), Refused> {
    if let (Some(mut pem), Some(key)) =
        (bytes(user, "client-certificate", folder)?, bytes(user, "client-key", folder)?)
    {
        pem.push(b'\n');
        pem.extend(key);
        access.tls.identity = Some(pem);
    }
    // A token's file goes before a token, since it is the one that is renewed.
    access.token = match (user.text("tokenFile"), user.text("token")) {
        (Some(path), _) => {
            let secret = SecretRef::File(folder.join(path)).fetch(&|_| None);
            Some(secret.map_err(|why| refused(format!("the token: {why}")))?)
        }
        (None, token) => token.map(|token| Secret::new(token.to_owned())),
    };
    if let (Some(name), Some(password)) = (user.text("username"), user.text("password")) {
        access.basic_auth = Some((name.to_owned(), Secret::new(password.to_owned())));
    }
    let has_none = access.token.is_none() && access.basic_auth.is_none() && access.tls.identity.is_none();
    let plugin = user.map("exec");
    if has_none && plugin.text("command").is_some() {
        let credential = run_plugin(&plugin, folder, &access.context).await?;
        return of_credential(access, &credential);
    }
    if has_none && !user.map("auth-provider").keys().is_empty() {
        return Err(Refused::because(
            format!(
                "context \"{}\" logs in with an auth-provider, which Kubernetes has given up",
                access.context
            ),
            "let the user log in with an exec plugin instead",
        ));
    }
    Ok(())
}

/// Data in base64 under `KEY-data`, or else the file that `KEY` names.
fn bytes(map: &Map, key: &str, folder: &Path) -> Result<Option<Vec<u8>>, Refused> {
    if let Some(data) = map.text(&format!("{key}-data")) {
        let data: String = data.split_whitespace().collect();
        let decoded = STANDARD.decode(data).map_err(|_| refused(format!("{key}-data is not in base64")))?;
        return Ok(Some(decoded));
    }
    let Some(path) = map.text(key) else { return Ok(None) };
    let path = folder.join(path);
    let read = std::fs::read(&path).map_err(|error| refused(format!("{}: {error}", path.display())))?;
    Ok(Some(read))
}

/// What a plugin prints: an `ExecCredential`
/// (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>).
async fn run_plugin(plugin: &Map, folder: &Path, context: &str) -> Result<Value, Refused> {
    let program = plugin.text("command").unwrap_or_default();
    let version = plugin.text("apiVersion").unwrap_or("client.authentication.k8s.io/v1");
    let path = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
    let asked = json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": false}});
    let mut command = tokio::process::Command::new(path);
    command.args(plugin.texts("args")).env("KUBERNETES_EXEC_INFO", asked.to_string());
    for variable in plugin.maps("env") {
        if let (Some(name), Some(value)) = (variable.text("name"), variable.text("value")) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let said = |why: String| {
        Refused::because(
            format!("the credential plugin \"{program}\" of context \"{context}\" {why}"),
            plugin.text("installHint").map_or_else(|| format!("run it by hand: {program}"), str::to_owned),
        )
    };
    let output = tokio::time::timeout(PLUGIN, command.output())
        .await
        .map_err(|_| said(format!("took more than {} seconds", PLUGIN.as_secs())))?
        .map_err(|error| said(format!("cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(said(format!("failed ({})", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| said("prints no JSON".to_owned()))
}

fn of_credential(access: &mut Access, credential: &Value) -> Result<(), Refused> {
    let text = |key: &str| credential.pointer("/status")?.get(key)?.as_str().filter(|text| !text.is_empty());
    access.token = text("token").map(|token| Secret::new(token.to_owned()));
    if let (Some(certificate), Some(key)) = (text("clientCertificateData"), text("clientKeyData")) {
        access.tls.identity = Some(format!("{certificate}\n{key}").into_bytes());
    }
    match access.token.is_some() || access.tls.identity.is_some() {
        true => Ok(()),
        false => Err(refused("the credential plugin printed neither a token nor a certificate")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, text: &str) -> Kubeconfig {
        let path = folder.join("config");
        std::fs::write(&path, text).expect("writable");
        Kubeconfig::read(&[folder.join("absent"), path]).expect("readable")
    }

    const CONFIG: &str = "
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: 'https://lab.example:6443', certificate-authority-data: Q0E=}
- name: open
  cluster: {server: 'https://open.example/k8s/c1', insecure-skip-tls-verify: true}
- name: far
  cluster: {server: 'https://far.example', proxy-url: 'http://proxy.example'}
users:
- {name: ann, user: {tokenFile: token}}
- {name: cert, user: {client-certificate-data: Q0VSVA==, client-key: key.pem}}
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./plugin
      args: [hunter2]
      env: [{name: KIND, value: token}]
contexts:
- {name: lab, context: {cluster: lab, user: ann}}
- {name: cert, context: {cluster: open, user: cert}}
- {name: plugin, context: {cluster: open, user: plugin}}
- {name: far, context: {cluster: far, user: ann}}
- {name: lost, context: {cluster: gone, user: ann}}
";

    #[tokio::test]
    async fn every_way_in_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "hunter2\n").expect("writable");
        std::fs::write(folder.path().join("key.pem"), "KEY").expect("writable");
        let plugin = folder.path().join("plugin");
        let script = "#!/bin/sh\ncase $KUBERNETES_EXEC_INFO in *v1beta1*) ;; *) exit 1;; esac\n\
            echo \"{\\\"status\\\": {\\\"$KIND\\\": \\\"$1\\\"}}\"\n";
        std::fs::write(&plugin, script).expect("writable");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&plugin, mode).expect("it is ours");
        let config = config(folder.path(), CONFIG);
        let token = |access: &Access| access.token.as_ref().map(|token| token.expose().to_owned());

        let lab = config.access(None).await.expect("whole");
        assert_eq!((lab.context.as_str(), lab.server.as_str()), ("lab", "https://lab.example:6443/"));
        assert_eq!(token(&lab).as_deref(), Some("hunter2"));
        assert_eq!(lab.tls.authorities.as_deref(), Some(&b"CA"[..]));
        let cert = config.access(Some("cert")).await.expect("whole");
        assert_eq!(cert.server.as_str(), "https://open.example/k8s/c1/");
        assert_eq!(cert.tls.identity.as_deref(), Some(&b"CERT\nKEY"[..]));
        assert!(cert.tls.unproven);
        let plugin = config.access(Some("plugin")).await.expect("the plugin runs");
        assert_eq!(token(&plugin).as_deref(), Some("hunter2"));
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), CONFIG);
        for (context, part) in [
            ("nowhere", "there is no context \"nowhere\""),
            ("lost", "the cluster \"gone\""),
            ("far", "proxy-url"),
            ("lab", "token"),
            ("cert", "key.pem"),
            ("plugin", "cannot be started"),
        ] {
            let why = config.access(Some(context)).await.err().expect("something is missing").what;
            assert!(why.contains(part) && !why.contains("hunter2"), "{why}");
        }
        assert!(Kubeconfig::read(&[folder.path().join("absent")]).is_err());
    }
}
