//! Removing one resource that is known to be ours.

use reqwest::Method;
use serde_json::{Value, json};

use super::clouds::Clusters;
use super::find::Found;
use super::shape::{rows, text};
use super::{Spider, make, name_id, path_of};
use crate::drivers::{DriverError, ErrorKind, Kind, Removal};

impl Spider {
    /// Removes it unless something stands on it: Spider would take some of that along, without a word.
    pub(super) async fn clear(&self, kind: Kind, name: &str, found: &Found) -> Result<Removal, DriverError> {
        if found.registered
            && let Some(user) = self.user(kind, found).await?
        {
            let what = format!("{} \"{name}\" is in use by {user}", kind.words());
            return Err(ErrorKind::Conflict.because(what));
        }
        let result = match kind {
            Kind::Subnet => self.delete(&["vpc", &found.within, "subnet", &found.name_id]).await,
            Kind::Attachment => {
                let info = json!({"VMName": name_id(&found.info, "OwnerVM")});
                self.session.change(Method::PUT, &["disk", &found.name_id, "detach"], Some(info)).await
            }
            _ => {
                let path = path_of(kind).expect("other kinds are not ours to remove").path;
                match found.registered {
                    true => self.delete(&[path, &found.name_id]).await,
                    false => self.delete(&[&format!("csp{path}"), &found.id]).await,
                }
            }
        };
        match result {
            // Somebody was faster.
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => return Ok(Removal::Absent),
            Err(error) => return Err(error),
            Ok(answer) if text(&answer, "Result") == "false" => {
                let what =
                    format!("CB-Spider did not remove {} \"{name}\" and does not say why", kind.words());
                return Err(ErrorKind::Unknown.because(what));
            }
            Ok(_) => {}
        }
        if let (Kind::KeyPair, Some(keys)) = (kind, &self.keys) {
            // Nothing is opened by it any more, so a file that cannot be removed harms nobody.
            let _ = std::fs::remove_file(make::key_file(keys, name));
        }
        Ok(Removal::Removed)
    }

    async fn delete(&self, path: &[&str]) -> Result<Value, DriverError> {
        self.session.change(Method::DELETE, path, None).await
    }

    /// The first thing that stands on a resource, in words.
    async fn user(&self, kind: Kind, found: &Found) -> Result<Option<String>, DriverError> {
        let id = found.name_id.as_str();
        match kind {
            Kind::Network => {
                if let Some(subnet) = rows(&found.info, "SubnetInfoList").next() {
                    return Ok(Some(format!("subnet \"{}\"", text(subnet, "IId.NameId"))));
                }
                let groups = self.session.get(&["securitygroup", "vpc", id]).await?;
                let group = rows(&groups, "securitygroup").next();
                Ok(group.map(|group| format!("security group \"{}\"", text(group, "IId.NameId"))))
            }
            Kind::Subnet => {
                let inside = |info: &Value| {
                    name_id(info, "SubnetIID") == id && name_id(info, "VpcIID") == found.within
                };
                self.machine_or_cluster(inside, |cluster| has(cluster, "Network.SubnetIIDs", id)).await
            }
            Kind::SecurityGroup => {
                let guarded = |info: &Value| has(info, "SecurityGroupIIds", id);
                self.machine_or_cluster(guarded, |cluster| has(cluster, "Network.SecurityGroupIIDs", id))
                    .await
            }
            Kind::KeyPair => {
                let opened = |info: &Value| name_id(info, "KeyPairIId") == id;
                let of_nodes = |cluster: &Value| {
                    rows(cluster, "NodeGroupList").any(|group| name_id(group, "KeyPairIID") == id)
                };
                self.machine_or_cluster(opened, of_nodes).await
            }
            Kind::Machine => {
                if let Some(disk) = rows(&found.info, "DataDiskIIDs").next() {
                    return Ok(Some(format!("disk \"{}\"", text(disk, "NameId"))));
                }
                if !self.cloud.load_balancers {
                    return Ok(None);
                }
                let balancers = self.session.get(&["nlb"]).await?;
                let balancer = rows(&balancers, "nlb").find(|balancer| has(balancer, "VMGroup.VMs", id));
                Ok(balancer.map(|balancer| format!("load balancer \"{}\"", text(balancer, "IId.NameId"))))
            }
            Kind::Disk => {
                let machine = name_id(&found.info, "OwnerVM");
                Ok((!machine.is_empty()).then(|| format!("machine \"{machine}\"")))
            }
            Kind::Attachment | Kind::PublicAddress | Kind::LoadBalancer | Kind::KubernetesCluster => Ok(None),
        }
    }

    async fn machine_or_cluster(
        &self,
        is_machine: impl Fn(&Value) -> bool + Send,
        is_cluster: impl Fn(&Value) -> bool + Send,
    ) -> Result<Option<String>, DriverError> {
        let machines = self.session.get(&["vm"]).await?;
        if let Some(machine) = rows(&machines, "vm").find(|machine| is_machine(machine)) {
            return Ok(Some(format!("machine \"{}\"", text(machine, "IId.NameId"))));
        }
        if self.cloud.clusters == Clusters::None {
            return Ok(None);
        }
        let clusters = self.session.get(&["cluster"]).await?;
        let cluster = rows(&clusters, "cluster").find(|cluster| is_cluster(cluster));
        Ok(cluster.map(|cluster| format!("Kubernetes cluster \"{}\"", text(cluster, "IId.NameId"))))
    }
}

fn has(info: &Value, path: &str, id: &str) -> bool {
    rows(info, path).any(|iid| text(iid, "NameId") == id)
}
