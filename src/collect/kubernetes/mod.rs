//! A Kubernetes cluster, by its API server: nodes and what runs on them, in pages.
//!
//! Environment variables, arguments and commands of containers may hold passwords, so they are taken out before anything
//! is kept; so are the records of who managed which field, which are half of every answer.

mod kubeconfig;

use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::asking::{Basket, ask};
use super::{Collected, Refused};
use crate::drivers::rest::{Answer, Request as Question, Rest};
use crate::drivers::{DriverError, ErrorKind};

pub use kubeconfig::{Access, Kubeconfig};

/// Objects of one page.
const PAGE: usize = 500;
/// Pages of one list: more objects than any cluster may have.
const MOST_PAGES: usize = 2_000;
/// How often a list is begun again whose pages expired.
const BEGINNINGS: usize = 3;

/// What is asked for.
struct List {
    /// What people call it.
    name: &'static str,
    /// Where it is served, the first that is there.
    paths: &'static [&'static str],
    need: Need,
}

/// What it means when a list is not served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Without it nothing can be said.
    Must,
    /// Every cluster has it.
    Should,
    /// Some clusters have it.
    May,
}

const LISTS: [List; 11] = [
    List { name: "nodes", paths: &["api/v1/nodes"], need: Need::Must },
    List { name: "pods", paths: &["api/v1/pods"], need: Need::Should },
    List { name: "services", paths: &["api/v1/services"], need: Need::Should },
    List { name: "volume claims", paths: &["api/v1/persistentvolumeclaims"], need: Need::Should },
    List { name: "volumes", paths: &["api/v1/persistentvolumes"], need: Need::Should },
    List { name: "storage classes", paths: &["apis/storage.k8s.io/v1/storageclasses"], need: Need::Should },
    List { name: "deployments", paths: &["apis/apps/v1/deployments"], need: Need::Should },
    List { name: "stateful sets", paths: &["apis/apps/v1/statefulsets"], need: Need::Should },
    List { name: "daemon sets", paths: &["apis/apps/v1/daemonsets"], need: Need::Should },
    List {
        name: "cron jobs",
        paths: &["apis/batch/v1/cronjobs", "apis/batch/v1beta1/cronjobs"],
        need: Need::May,
    },
    List {
        name: "ingresses",
        paths: &["apis/networking.k8s.io/v1/ingresses", "apis/networking.k8s.io/v1beta1/ingresses"],
        need: Need::May,
    },
];

/// Where the metrics server answers.
const METRICS: &str = "apis/metrics.k8s.io/v1beta1/nodes";

/// How to ask.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How long one page may take.
    pub timeout: Duration,
    /// How often use is sampled where the metrics are served.
    pub samples: u32,
    /// Time between two samples.
    pub every: Duration,
}

/// Asks the API server of a kubeconfig's context.
///
/// # Errors
/// When the nodes cannot be had: without them nothing can be said.
pub async fn collect(access: &Access, request: Request, done: impl Fn()) -> Result<Collected, Refused> {
    let refused = |error: DriverError| {
        Refused::because(
            format!("the cluster of context \"{}\" could not be collected: {error}", access.context),
            "try it by hand: kubectl get nodes",
        )
    };
    let rest = Rest::with_tls(&access.tls, access.secrets()).map_err(refused)?;
    let server = Server { rest, access, timeout: request.timeout };
    let mut basket = Basket::new(format!("kubernetes {}", access.context));
    for list in &LISTS {
        match server.list(list, &mut basket).await {
            Ok(()) => {}
            Err(error) if list.need == Need::Must => return Err(refused(error)),
            Err(error) if error.kind == ErrorKind::NotFound && list.need == Need::May => {
                basket.not_offered(list.name, "nothing needs to be done");
            }
            Err(error) => basket.missed(
                list.name,
                &error.message,
                &format!(
                    "the rest is kept; see what you may read: kubectl auth can-i list {}",
                    resource(list)
                ),
            ),
        }
        done();
    }
    server.metrics(request, &mut basket).await;
    done();
    Ok(basket.into_collected())
}

/// How many times `done` is called.
pub const STEPS: usize = LISTS.len() + 1;

fn resource(list: &List) -> &'static str {
    list.paths[0].rsplit('/').next().unwrap_or_default()
}

struct Server<'a> {
    rest: Rest,
    access: &'a Access,
    timeout: Duration,
}

impl Server<'_> {
    /// Fetches a list in pages. When pages expire on the way, the list is begun again.
    async fn list(&self, list: &List, basket: &mut Basket) -> Result<(), DriverError> {
        let mut not_there = ErrorKind::NotFound.because("it is not served");
        for path in list.paths {
            for beginning in 1.. {
                match self.pages(path).await {
                    Ok(pages) => {
                        for (number, page) in pages.into_iter().enumerate() {
                            let name = match number {
                                0 => list.name.to_owned(),
                                _ => format!("{}, page {}", list.name, number + 1),
                            };
                            if !basket.keep(name, page) {
                                return Ok(());
                            }
                        }
                        return Ok(());
                    }
                    // 410: the place at which to go on is forgotten.
                    Err(error) if error.message.contains("status 410") && beginning < BEGINNINGS => {}
                    Err(error) if error.kind == ErrorKind::NotFound => {
                        not_there = error;
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(not_there)
    }

    async fn pages(&self, path: &str) -> Result<Vec<String>, DriverError> {
        let mut pages = Vec::new();
        let mut kept = 0;
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let mut url = self.url(path)?;
            url.query_pairs_mut().append_pair("limit", &PAGE.to_string());
            if !next.is_empty() {
                url.query_pairs_mut().append_pair("continue", &next);
            }
            let mut page: Value = self.get(url).await?.json()?;
            let is_list = page.get("items").is_some_and(|items| items.is_array() || items.is_null());
            if !is_list {
                return Err(ErrorKind::Unknown.because("what it answered is no list of Kubernetes"));
            }
            trim(&mut page);
            let more =
                page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().to_owned();
            let text = page.to_string();
            kept += text.len();
            pages.push(text);
            if more.is_empty() || kept > super::asking::MOST_KEPT {
                return Ok(pages);
            }
            if more == next {
                return Err(ErrorKind::Unknown.because("its pages do not come to an end"));
            }
            next = more;
        }
        Err(ErrorKind::Unknown.because("its pages do not come to an end"))
    }

    /// Samples of the metrics server, where there is one.
    async fn metrics(&self, request: Request, basket: &mut Basket) {
        let mut is_told = false;
        for sample in 0..request.samples.max(1) {
            if sample > 0 {
                tokio::time::sleep(request.every).await;
            }
            let asked = async { self.get(self.url(METRICS)?).await?.json::<Value>() };
            match asked.await {
                Ok(answer) => {
                    if !basket.keep(format!("metrics {}", sample + 1), answer.to_string()) {
                        return;
                    }
                }
                Err(error) if sample == 0 && error.kind == ErrorKind::NotFound => {
                    basket.not_offered(
                        "metrics of its nodes",
                        "install metrics-server, or add use from Prometheus",
                    );
                    return;
                }
                Err(error) if !is_told => {
                    is_told = true;
                    let help = "use is unknown for that time; add it with carafe inventory usage";
                    basket.missed("metrics of its nodes", &error.message, help);
                }
                Err(_) => {}
            }
        }
    }

    fn url(&self, path: &str) -> Result<Url, DriverError> {
        let joined = self.access.server.join(path);
        joined.map_err(|_| ErrorKind::Invalid.because("the address of its server cannot be used"))
    }

    async fn get(&self, url: Url) -> Result<Answer, DriverError> {
        let mut question = Question::new(Method::GET, url, self.timeout);
        if let Some(token) = &self.access.token {
            question = question.secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))?;
        }
        question.basic_auth.clone_from(&self.access.basic_auth);
        ask(&self.rest, &question).await
    }
}

/// What is kept of a container.
const OF_CONTAINER: [&str; 5] = ["name", "image", "resources", "ports", "volumeMounts"];
/// What is never kept of an object: by whom which field was set, and the whole object once more as it was applied.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes out of a list what may hold secrets.
fn trim(page: &mut Value) {
    let items = page.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        trim_metadata(item);
        for path in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
            if let Some(Value::Object(pod)) = item.pointer_mut(path) {
                trim_pod(pod);
            }
        }
        if let Some(template) = item.pointer_mut("/spec/template") {
            trim_metadata(template);
        }
    }
}

fn trim_metadata(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(APPLIED);
        }
    }
}

fn trim_pod(pod: &mut Map<String, Value>) {
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = pod.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.retain(|key, _| OF_CONTAINER.contains(&key.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_may_hold_a_password_is_kept() {
        let pod = json!({
            "containers": [{"name": "db", "image": "postgres", "resources": {"requests": {"cpu": "1"}},
                "env": [{"name": "PASSWORD", "value": "hunter2"}], "args": ["--password=hunter2"],
                "command": ["hunter2"], "livenessProbe": {"exec": {"command": ["hunter2"]}}}],
            "initContainers": [{"name": "init", "env": [{"name": "P", "value": "hunter2"}]}],
        });
        let metadata = json!({"name": "db", "managedFields": ["hunter2"],
            "annotations": {APPLIED: "hunter2", "team": "erp"}});
        let mut page = json!({"items": [
            {"metadata": metadata, "spec": pod},
            {"metadata": metadata, "spec": {"template": {"metadata": metadata, "spec": pod}}},
            {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
        ]});
        trim(&mut page);
        let text = page.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            text.contains("\"cpu\":\"1\"") && text.contains("\"team\":\"erp\"") && text.contains("postgres")
        );
    }
}
