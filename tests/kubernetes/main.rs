//! Collection from a real API server: TLS with an authority of its own, every way to log in, pages, rights.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use carafe_model::estate::Estate;
use serde_json::json;

#[path = "../servers/kubernetes.rs"]
mod kubernetes;

use kubernetes::Cluster;

fn collect(config: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(["inventory", "collect", "kubernetes", "--kubeconfig"])
        .arg(config)
        .args(more)
        .output()
        .expect("carafe can be started")
}

fn estate(output: &Output) -> Estate {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an estate")
}

/// A kubeconfig whose user logs in as the text says.
fn config(cluster: &Cluster, name: &str, user: &str) -> PathBuf {
    let path = cluster.path(&format!("{name}.config"));
    let text = format!(
        "current-context: k\nclusters: [{{name: k, cluster: {{server: '{}', certificate-authority: pki/ca.crt}}}}]\n\
         contexts: [{{name: k, context: {{cluster: k, user: u}}}}]\nusers: [{{name: u, user: {user}}}]\n",
        cluster.url()
    );
    std::fs::write(&path, text).expect("writable");
    path
}

fn deployment(name: &str, replicas: u32) -> String {
    let container = json!({
        "name": "app", "image": "example/app:1", "args": ["--password=hunter2"],
        "env": [{"name": "PASSWORD", "value": "hunter2"}],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    })
    .to_string()
}

#[test]
fn a_real_cluster_is_collected_whole_by_every_way_in() {
    let cluster = Cluster::start();
    cluster.make("/apis/apps/v1/namespaces/default/deployments", &[deployment("shop", 6)]);
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}},
    });
    cluster.make("/api/v1/namespaces/default/persistentvolumeclaims", &[claim.to_string()]);
    let balancer = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "shop"}, "ports": [{"port": 443}]},
    });
    let mut services = vec![balancer.to_string()];
    // More than fit into one page.
    services.extend((0..600).map(|number| {
        let metadata = json!({"name": format!("s{number}")});
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
            .to_string()
    }));
    cluster.make("/api/v1/namespaces/default/services", &services);

    let token = std::fs::read_to_string(cluster.path("pki/admin.token")).expect("made").trim().to_owned();
    let by_token = config(&cluster, "token", &format!("{{token: {token}}}"));
    let kept = cluster.path("kept.json");
    let mut found = estate(&collect(&by_token, &["--collection", kept.to_str().expect("a path")]));
    let requested = |estate: &Estate| -> u32 {
        estate
            .hosts
            .iter()
            .filter_map(|host| host.labels.get("requested-cpu-milli")?.parse::<u32>().ok())
            .sum()
    };
    // The pods appear one after the other.
    for _ in 0..60 {
        if requested(&found) == 1_500 {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
        found = estate(&collect(&by_token, &["--collection", kept.to_str().expect("a path")]));
    }
    assert_eq!(requested(&found), 1_500, "six pods of 250 thousandths");
    let names: Vec<&str> = found.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["node1", "node2", "node3"]);
    for host in &found.hosts {
        assert_eq!(host.vcpus.map(|vcpus| vcpus.0), Some(8));
        assert_eq!(host.memory_mib.map(|memory| memory.0), Some(32_768));
    }
    assert_eq!(found.clusters[0].workers.len(), 3);
    assert_eq!(found.load_balancers.len(), 1);
    let text = std::fs::read_to_string(&kept).expect("it was kept");
    assert!(text.contains("\"services, page 2\"") && !text.contains("hunter2") && !text.contains(&token));

    let cert = "set -e; cd pki; echo extendedKeyUsage=clientAuth > extensions; openssl genrsa -out u.key 2048; openssl req \
                -new -key u.key -subj /O=system:masters/CN=u -out u.csr; openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key \
                -CAcreateserial -extfile extensions -days 2 -out u.crt";
    let made = Command::new("sh").args(["-c", cert]).current_dir(cluster.path("")).output().expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let plugin = "printf '{\"status\": {\"token\": \"%s\"}}' \"$(cat \"$TOKEN_FILE\")\"";
    std::fs::write(cluster.path("plugin.sh"), plugin).expect("writable");
    let exec = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: ['{}'], env: [{{name: TOKEN_FILE, \
         value: '{}'}}]}}}}",
        cluster.path("plugin.sh").display(),
        cluster.path("pki/admin.token").display()
    );
    for (name, user) in [
        ("file", "{tokenFile: pki/admin.token}"),
        ("certificate", "{client-certificate: pki/u.crt, client-key: pki/u.key}"),
        ("plugin", exec.as_str()),
    ] {
        let again = estate(&collect(&config(&cluster, name, user), &[]));
        assert_eq!(again.hosts, found.hosts, "{name}");
    }

    // A user without rights gets nothing; one who may read nodes gets those, and is told the rest.
    let dev = config(&cluster, "dev", "{tokenFile: pki/dev.token}");
    let refused = collect(&dev, &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("nodes is forbidden"), "{said}");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "nodes"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "nodes"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nodes"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dev"}],
    });
    cluster.make("/apis/rbac.authorization.k8s.io/v1/clusterroles", &[role.to_string()]);
    cluster.make("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &[binding.to_string()]);
    // The authoriser sees a new role a moment later.
    std::thread::sleep(Duration::from_secs(2));
    let some = collect(&dev, &[]);
    let said = String::from_utf8_lossy(&some.stderr);
    assert!(said.contains("pods could not be collected"), "{said}");
    assert_eq!(estate(&some).hosts.len(), 3);

    // An authority that did not sign the server's certificate is not trusted.
    let system = Command::new("sh")
        .args(["-c", "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=other -out other.crt -days 2"])
        .current_dir(cluster.path("pki"))
        .output()
        .expect("openssl");
    assert!(system.status.success());
    let text = std::fs::read_to_string(&by_token).expect("readable").replace("pki/ca.crt", "pki/other.crt");
    std::fs::write(&by_token, text).expect("writable");
    let refused = collect(&by_token, &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("cannot be trusted"), "{said}");
}
