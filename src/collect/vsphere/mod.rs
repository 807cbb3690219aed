//! A vCenter (or one ESXi host), by its SOAP API: what it manages in pages, tags over REST, and the performance history.
//!
//! <https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/>

mod soap;

mod tags;

use std::time::Duration;

use carafe_inventory::xml::Element;
use reqwest::Url;

use super::asking::Basket;
use super::{Collected, Refused};
use crate::drivers::rest::Rest;
use crate::drivers::secret::Secret;
use crate::http::Tls;

use soap::{Fault, Session, escaped};

/// Objects of one page.
const PAGE: usize = 100;
/// Pages of one kind of object: more than any vCenter manages.
const MOST_PAGES: usize = 2_000;
/// A vCenter refuses questions about more than 64 series, so this many machines fit into one.
const MACHINES_OF_A_QUERY: usize = 64 / COUNTERS.len();

/// After so many questions about history in a row that failed, no more are asked.
const MOST_FAILURES: usize = 3;

/// What is read of each kind of object.
const KINDS: [(&str, &[&str]); 9] = [
    (
        "VirtualMachine",
        &[
            "name",
            "parent",
            "resourcePool",
            "datastore",
            "runtime.powerState",
            "runtime.host",
            "customValue",
            "config.uuid",
            "config.instanceUuid",
            "config.guestFullName",
            "config.firmware",
            "config.annotation",
            "config.template",
            "config.hardware.numCPU",
            "config.hardware.memoryMB",
            "config.hardware.device",
            "guest.hostName",
            "guest.guestFullName",
            "guest.ipAddress",
            "guest.net",
            "guest.disk",
        ],
    ),
    (
        "HostSystem",
        &[
            "name",
            "parent",
            "summary.hardware.vendor",
            "summary.hardware.model",
            "summary.hardware.cpuModel",
            "summary.hardware.numCpuCores",
            "summary.hardware.numCpuThreads",
            "summary.hardware.memorySize",
            "config.product.fullName",
        ],
    ),
    ("ClusterComputeResource", &["name", "parent"]),
    ("ResourcePool", &["name", "parent"]),
    ("Datastore", &["name", "summary.capacity", "summary.freeSpace", "summary.type"]),
    ("Network", &["name"]),
    ("DistributedVirtualPortgroup", &["name"]),
    ("Folder", &["name", "parent"]),
    ("Datacenter", &["name", "parent"]),
];

/// Counters of the performance history: group, name, and how samples are rolled up.
const COUNTERS: [(&str, &str, &str); 4] = [
    ("cpu", "usage", "average"),
    ("mem", "consumed", "average"),
    ("net", "received", "average"),
    ("net", "transmitted", "average"),
];

/// How far back the performance history is read. The further, the longer the time of which only the mean is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// None.
    None,
    /// A day in steps of five minutes.
    Day,
    /// A week in steps of half an hour.
    Week,
    /// A month in steps of two hours.
    Month,
}

impl History {
    /// Seconds of a step, and how many there are.
    const fn steps(self) -> Option<(u32, u32)> {
        match self {
            History::None => None,
            History::Day => Some((300, 288)),
            History::Week => Some((1_800, 336)),
            History::Month => Some((7_200, 360)),
        }
    }
}

/// Whom to ask, and how.
pub struct Request {
    /// Address of the server, such as `https://vcenter.example/sdk`.
    pub url: Url,
    /// Who asks.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// Whom to trust.
    pub tls: Tls,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How far back use is read.
    pub history: History,
}

/// Asks a vCenter.
///
/// # Errors
/// When nobody is let in, or the machines cannot be had.
pub async fn collect(request: Request, done: impl Fn()) -> Result<Collected, Refused> {
    let host = request.url.host_str().unwrap_or_default().to_owned();
    let refused = |fault: &Fault| {
        Refused::because(
            format!("{host} could not be collected: {}", fault.what),
            "see that the address, the user and the password are right, and that its certificate is trusted",
        )
    };
    let rest = Rest::with_tls(&request.tls, vec![request.password.clone()]).map_err(|error| {
        Refused::because(error.message, "see that the file of --ca holds certificates in PEM")
    })?;
    let mut basket = Basket::new(format!("vsphere {host}"));
    let session = Session::open(&rest, &request).await.map_err(|fault| refused(&fault))?;
    let collected = session.everything(&request, &mut basket, &done).await;
    // The session would end by itself half an hour later.
    let _ = session.close().await;
    let machines = collected.map_err(|fault| refused(&fault))?;
    if let Err(why) = tags::collect(&rest, &request, &mut basket).await {
        basket.missed("tags", &why, "the rest is kept; labels from tags are missing");
    }
    done();
    tracing::debug!(machines, "collected from vCenter");
    Ok(basket.into_collected())
}

/// How many times `done` is called.
pub const STEPS: usize = KINDS.len() + 2;

impl Session<'_> {
    /// Fetches every kind of object and the history; the machines are needed, everything else is told when it is missing.
    async fn everything(
        &self,
        request: &Request,
        basket: &mut Basket,
        done: &impl Fn(),
    ) -> Result<usize, Fault> {
        basket.keep("service content", self.content.text.clone());
        let mut machines = Vec::new();
        for (kind, properties) in KINDS {
            let asked = self.objects(kind, properties, basket).await;
            match asked {
                Ok(references) if kind == "VirtualMachine" => machines = references,
                Ok(_) => {}
                Err(fault) if kind == "VirtualMachine" => return Err(fault),
                Err(fault) => basket.missed(kind, &fault.what, "the rest is kept; labels may be missing"),
            }
            done();
        }
        if let Some(manager) = self.content.reference("customFieldsManager")
            && let Err(fault) =
                self.one("CustomFieldsManager", &manager, "field", "custom attributes", basket).await
        {
            basket.missed("custom attributes", &fault.what, "the rest is kept");
        }
        if let Some((step, samples)) = request.history.steps()
            && let Err(fault) = self.history(&machines, step, samples, basket).await
        {
            basket.missed("the performance history", &fault.what, "use is unknown where it is missing");
        }
        done();
        Ok(machines.len())
    }

    /// All objects of a kind, in pages, through a view of the whole inventory. Their references come back.
    async fn objects(
        &self,
        kind: &str,
        properties: &[&str],
        basket: &mut Basket,
    ) -> Result<Vec<String>, Fault> {
        let manager = self.needed("viewManager")?;
        let root = self.needed("rootFolder")?;
        let view = self
            .call(
                "CreateContainerView",
                &format!(
                    "<_this type=\"ViewManager\">{manager}</_this><container type=\"Folder\">{root}</container>\
                     <type>{kind}</type><recursive>true</recursive>"
                ),
            )
            .await?;
        let view =
            view.found("returnval").ok_or_else(|| Fault::because("it makes no view of its inventory"))?;
        let paths: String = properties.iter().map(|path| format!("<pathSet>{path}</pathSet>")).collect();
        let specification = format!(
            "<specSet><propSet><type>{kind}</type><all>false</all>{paths}</propSet><objectSet><obj \
             type=\"ContainerView\">{}</obj><skip>true</skip><selectSet xsi:type=\"TraversalSpec\"><name>all</name>\
             <type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet></specSet>\
             <options><maxObjects>{PAGE}</maxObjects></options>",
            escaped(&view)
        );
        let references = self.pages(kind, &specification, basket).await;
        let _ = self
            .call("DestroyView", &format!("<_this type=\"ContainerView\">{}</_this>", escaped(&view)))
            .await;
        references
    }

    async fn pages(
        &self,
        kind: &str,
        specification: &str,
        basket: &mut Basket,
    ) -> Result<Vec<String>, Fault> {
        let collector = self.needed("propertyCollector")?;
        let this = format!("<_this type=\"PropertyCollector\">{collector}</_this>");
        let mut references = Vec::new();
        let mut answer = self.call("RetrievePropertiesEx", &format!("{this}{specification}")).await?;
        for page in 1..=MOST_PAGES {
            let found = answer.root.all("objects");
            references.extend(found.iter().filter_map(|object| object.path_text("obj").map(str::to_owned)));
            let token = answer.found("token");
            let name = if page == 1 { kind.to_owned() } else { format!("{kind}, page {page}") };
            if !basket.keep(name, answer.text) {
                return Ok(references);
            }
            let Some(token) = token else { return Ok(references) };
            let next = format!("{this}<token>{}</token>", escaped(&token));
            answer = match self.call("ContinueRetrievePropertiesEx", &next).await {
                Ok(answer) => answer,
                // What came before is kept.
                Err(fault) => {
                    let part = format!("{kind} after the first {}", references.len());
                    basket.missed(&part, &fault.what, "what came before is kept; collect again");
                    return Ok(references);
                }
            };
        }
        Err(Fault::because("its pages do not come to an end"))
    }

    /// One property of one object.
    async fn one(
        &self,
        kind: &str,
        reference: &str,
        property: &str,
        name: &str,
        basket: &mut Basket,
    ) -> Result<Element, Fault> {
        let collector = self.needed("propertyCollector")?;
        let answer = self
            .call(
                "RetrievePropertiesEx",
                &format!(
                    "<_this type=\"PropertyCollector\">{collector}</_this><specSet><propSet><type>{kind}</type><all>false\
                     </all><pathSet>{property}</pathSet></propSet><objectSet><obj type=\"{kind}\">{}</obj></objectSet>\
                     </specSet><options/>",
                    escaped(reference)
                ),
            )
            .await?;
        basket.keep(name, answer.text);
        Ok(answer.root)
    }

    /// The history of machines, several in each question. A question that fails costs only its machines.
    async fn history(
        &self,
        machines: &[String],
        step: u32,
        samples: u32,
        basket: &mut Basket,
    ) -> Result<(), Fault> {
        let manager = self.needed("perfManager")?;
        let answer =
            self.one("PerformanceManager", &manager, "perfCounter", "performance counters", basket).await?;
        let counters: Vec<String> = answer
            .all("PerfCounterInfo")
            .into_iter()
            .filter(|counter| {
                let text = |path| counter.path_text(path).unwrap_or_default();
                COUNTERS.contains(&(text("groupInfo/key"), text("nameInfo/key"), text("rollupType")))
            })
            .filter_map(|counter| counter.path_text("key").map(str::to_owned))
            .collect();
        if counters.is_empty() {
            return Err(Fault::because("it counts neither processor, memory nor network"));
        }
        let metrics: String = counters
            .iter()
            .map(|id| {
                format!("<metricId><counterId>{}</counterId><instance></instance></metricId>", escaped(id))
            })
            .collect();
        let mut had = 0;
        let mut in_a_row = 0;
        let mut why = None;
        for (number, some) in machines.chunks(MACHINES_OF_A_QUERY).enumerate() {
            let questions: String = some
                .iter()
                .map(|machine| {
                    format!(
                        "<querySpec><entity type=\"VirtualMachine\">{}</entity><maxSample>{samples}</maxSample>{metrics}\
                         <intervalId>{step}</intervalId><format>csv</format></querySpec>",
                        escaped(machine)
                    )
                })
                .collect();
            let asked = format!("<_this type=\"PerformanceManager\">{manager}</_this>{questions}");
            match self.call("QueryPerf", &asked).await {
                Ok(answer) => {
                    had += some.len();
                    in_a_row = 0;
                    if !basket.keep(format!("history {}", number + 1), answer.text) {
                        return Ok(());
                    }
                }
                Err(fault) => {
                    in_a_row += 1;
                    why = Some(fault);
                    if in_a_row == MOST_FAILURES {
                        break;
                    }
                }
            }
        }
        match why {
            Some(fault) => Err(Fault::because(format!(
                "{} for {} of {} machines",
                fault.what,
                machines.len() - had,
                machines.len()
            ))),
            None => Ok(()),
        }
    }

    fn needed(&self, name: &str) -> Result<String, Fault> {
        let found = self.content.reference(name).map(|reference| escaped(&reference));
        found.ok_or_else(|| Fault::because(format!("it has no {name}")))
    }
}
