//! A cluster whose API server misbehaves. A real one is asked in tests/kubernetes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use carafe_model::estate::Estate;
use serde_json::{Value, json};

use crate::web::{Asked, Says, Web};

fn node(name: &str, address: &str) -> Value {
    json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "managedFields": [{"manager": "kubelet"}]},
        "status": {
            "capacity": {"cpu": "4", "memory": "16Gi"},
            "nodeInfo": {"architecture": "amd64", "osImage": "Ubuntu 24.04 LTS", "kubeletVersion": "v1.33.1"},
            "addresses": [{"type": "InternalIP", "address": address}],
        },
    })
}

fn list(kind: &str, items: &[Value], more: &str) -> Says {
    let body = json!({"kind": kind, "apiVersion": "v1", "metadata": {"continue": more}, "items": items});
    Says::ok(body.to_string())
}

fn pod() -> Value {
    json!({
        "metadata": {"name": "db-0", "namespace": "erp"},
        "spec": {
            "nodeName": "n1",
            "containers": [{
                "name": "db",
                "env": [{"name": "PASSWORD", "value": "hunter2"}],
                "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            }],
            "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}],
        },
        "status": {"phase": "Running"},
    })
}

/// Two pages of nodes, of which the second is expired, throttled and broken off before it comes; lists that are
/// forbidden or missing; and one that never ends.
fn misbehaves(asked: &Asked) -> Says {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    if asked.headers.get("authorization").map(String::as_str) != Some("Bearer hunter3") {
        return Says { body: "{\"message\": \"Unauthorized\"}".to_owned(), ..Says::status(401) };
    }
    match path {
        "/api/v1/nodes" if !query.contains("continue") => {
            list("NodeList", &[node("n1", "10.0.0.1")], "page2")
        }
        "/api/v1/nodes" => match asked.before {
            0 => Says {
                body: "{\"message\": \"the provided continue parameter is too old\"}".to_owned(),
                ..Says::status(410)
            },
            1 => Says { headers: vec![("Retry-After", "1".to_owned())], ..Says::status(429) },
            2 => Says { breaks_off: true, ..list("NodeList", &[node("n2", "10.0.0.2")], "") },
            _ => list("NodeList", &[node("n2", "10.0.0.2")], ""),
        },
        "/api/v1/pods" => list("PodList", &[pod()], ""),
        "/api/v1/services" => {
            let body = "{\"message\": \"services is forbidden: hunter3 may not list\"}".to_owned();
            Says { body, ..Says::status(403) }
        }
        "/api/v1/persistentvolumeclaims" => list(
            "PersistentVolumeClaimList",
            &[json!({
                "metadata": {"name": "data", "namespace": "erp"},
                "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "50Gi"}}},
            })],
            "",
        ),
        "/apis/storage.k8s.io/v1/storageclasses" => list(
            "StorageClassList",
            &[json!({"metadata": {"name": "fast"}, "parameters": {"type": "ssd"}})],
            "",
        ),
        "/api/v1/persistentvolumes" => list("PersistentVolumeList", &[], "again"),
        "/apis/apps/v1/deployments" => Says::ok("<html>a proxy</html>"),
        "/apis/metrics.k8s.io/v1beta1/nodes" => {
            let used = json!({
                "metadata": {"name": "n1"}, "timestamp": "2026-03-01T00:00:00Z", "window": "20s",
                "usage": {"cpu": "1000000000n", "memory": "4194304Ki"},
            });
            list("NodeMetricsList", &[used], "")
        }
        _ => Says::status(404),
    }
}

fn kubeconfig(folder: &Path, url: &str, token: &str) -> PathBuf {
    let path = folder.join("config");
    let text = format!(
        "current-context: lab\nclusters: [{{name: lab, cluster: {{server: '{url}'}}}}]\nusers: [{{name: ann, user: \
         {{token: {token}}}}}]\ncontexts: [{{name: lab, context: {{cluster: lab, user: ann}}}}]\n"
    );
    std::fs::write(&path, text).expect("writable");
    path
}

fn collect(config: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "collect", "kubernetes"])
        .args(more)
        .env("KUBECONFIG", config)
        .output()
        .expect("carafe can be started")
}

#[test]
fn what_fails_is_told_and_the_rest_is_kept() {
    let web = Web::start(misbehaves);
    let folder = tempfile::tempdir().expect("a folder");
    let config = kubeconfig(folder.path(), &web.url, "hunter3");
    let kept = folder.path().join("kept.json");
    let output = collect(&config, &["--verbose", "--collection", kept.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let estate: Estate = serde_json::from_slice(&output.stdout).expect("an estate");
    assert_eq!(estate.hosts.len(), 2, "both pages of nodes, in spite of all");
    let first = &estate.hosts[0];
    let label = |key: &str| first.labels.get(key).map(String::as_str);
    assert_eq!(
        [
            label("pods"),
            label("requested-cpu-milli"),
            label("requested-memory-mib"),
            label("limit-memory-mib")
        ],
        [Some("1"), Some("500"), Some("1024"), Some("2048")]
    );
    let disk =
        first.disks.iter().find(|disk| disk.name == "data").expect("the claim is a disk of the pod's node");
    assert_eq!(disk.size_gib.map(|size| size.0), Some(50));
    assert_eq!(disk.media, Some(carafe_model::host::Media::Ssd));
    let usage = first.usage.as_ref().expect("its metrics are served");
    assert_eq!(usage.cpu_percent.expect("measured").max.0, 25_000_000, "one of four processors");
    assert_eq!(usage.memory_mib.expect("measured").max.0, 4_096_000_000);
    for part in [
        "services could not be collected",
        "status 403",
        "volumes could not",
        "deployments could not",
        "cron jobs",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let kept = std::fs::read_to_string(kept).expect("it was kept");
    for text in [&*said, &kept] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[test]
fn without_the_nodes_nothing_is_said() {
    let web = Web::start(misbehaves);
    let folder = tempfile::tempdir().expect("a folder");
    let config = kubeconfig(folder.path(), &web.url, "hunter4");
    let output = collect(&config, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("status 401") && !said.contains("hunter4"), "{said}");
    assert_eq!(web.asked().len(), 1, "a refusal is not asked again");
    assert!(output.stdout.is_empty());
}
