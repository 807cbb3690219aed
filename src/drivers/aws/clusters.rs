//! Managed Kubernetes: clusters of EKS, each with one group of nodes.
//!
//! EKS wants subnets in two zones for its control plane. Where a plan's subnets are all in one, the cluster brings a small
//! subnet in another zone along, which is a part of it; its nodes are in the plan's subnets alone.

use std::net::Ipv4Addr;

use carafe_inventory::xml::Element;
use carafe_model::steps::Action;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Query;
use super::networks::subnet;
use super::owner::{self, PART};
use super::site::{Found, Patience, Site};
use super::xml::text;
use crate::drivers::cidr::Cidr;
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

const EKS: &str = "eks";
/// The longest name of a cluster.
const LONGEST_NAME: usize = 100;
/// The size of a subnet for the control plane, which takes up to six addresses of the eleven that AWS leaves in it.
const CONTROL_SUBNET: u32 = 16;
/// How many pages of names are followed.
const MOST_PAGES: usize = 1000;

fn say<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

impl Site<'_> {
    async fn eks(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Value, DriverError> {
        self.cloud.client.rest(&self.region, EKS, method, path, &[], body).await
    }

    async fn look(&self, path: &[&str]) -> Result<Option<Value>, DriverError> {
        match self.eks(Method::GET, path, None).await {
            Ok(told) => Ok(Some(told)),
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a list of EKS.
    async fn names(&self, path: &[&str], list: &str) -> Result<Vec<String>, DriverError> {
        let (mut names, mut next) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let mut query = vec![("maxResults", "100")];
            if !next.is_empty() {
                query.push(("nextToken", next.as_str()));
            }
            let page = self.cloud.client.rest(&self.region, EKS, Method::GET, path, &query, None).await?;
            let listed = page[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.extend(listed.map(str::to_owned));
            next = say(&page, "/nextToken").to_owned();
            if next.is_empty() {
                return Ok(names);
            }
        }
        Err(ErrorKind::Unknown.because("a list of EKS has no end"))
    }

    /// How many clusters the account has in the region.
    pub(super) async fn cluster_count(&self) -> Result<usize, DriverError> {
        Ok(self.names(&["clusters"], "clusters").await?.len())
    }

    pub(super) async fn clusters(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let names = match name {
            Some(name) if is_name(name) => vec![name.to_owned()],
            Some(_) => return Ok(Vec::new()),
            None => self.names(&["clusters"], "clusters").await?,
        };
        let mut found = Vec::new();
        for name in names {
            if let Some(told) = self.look(&["clusters", &name]).await? {
                let nodes = self.look(&["clusters", &name, "node-groups", &name]).await?;
                found.push(cluster(&name, &told, nodes.as_ref()));
            }
        }
        // A subnet whose cluster is gone is what was left of one.
        let query = super::site::named(name).filter(&format!("tag:{PART}"), ["cluster"]);
        let left = self.all("DescribeSubnets", &query, "subnetSet").await?.into_iter().map(subnet);
        let orphans = left.filter(|subnet| {
            !found
                .iter()
                .any(|cluster: &Found| subnet.owner.as_ref().is_some_and(|owner| cluster.is_for(owner)))
        });
        let orphans: Vec<Found> = orphans.map(|subnet| Found { complete: false, ..subnet }).collect();
        found.extend(orphans);
        Ok(found)
    }

    /// Makes a cluster and waits until it can take nodes, which are its last part.
    pub(super) async fn make_cluster(&self, target: &Target) -> Result<(), DriverError> {
        let Action::KubernetesCluster { name, version, subnets, security_groups, key_pair, .. } =
            &target.action
        else {
            unreachable!("only clusters are made here")
        };
        let [cluster_role, _] = self.roles()?;
        self.needed(target, Kind::KeyPair, key_pair).await?;
        let mut groups = Vec::new();
        for group in security_groups {
            groups.push(self.needed(target, Kind::SecurityGroup, group).await?.id);
        }
        let mut placed = Vec::new();
        for subnet in subnets {
            placed.push(self.needed(target, Kind::Subnet, subnet).await?);
        }
        let mut ids: Vec<String> = placed.iter().map(|subnet| subnet.id.clone()).collect();
        ids.extend(self.control_subnet(target, &placed).await?);
        let mut body = json!({
            "name": name, "roleArn": cluster_role, "clientRequestToken": owner::token(&target.owner, 0),
            "resourcesVpcConfig": {
                "subnetIds": ids, "securityGroupIds": groups,
                "endpointPublicAccess": true, "endpointPrivateAccess": true,
            },
            "tags": labels(&target.owner, name),
        });
        if let Some(version) = version {
            body["version"] = version.as_str().into();
        }
        match self.eks(Method::POST, &["clusters"], Some(&body)).await {
            Ok(_) => self.complete_cluster(target).await,
            Err(refusal) if refusal.kind == ErrorKind::Unknown => Err(refusal),
            Err(refusal) => match self.clear_control_subnet(&target.owner).await {
                Ok(()) => Err(refusal),
                Err(error) => Err(ErrorKind::Unknown.because(format!("{refusal}, and then: {error}"))),
            },
        }
    }

    /// Waits until a cluster can take nodes, and makes them. That the cluster stands makes every failure here one of
    /// unknown effect.
    pub(super) async fn complete_cluster(&self, target: &Target) -> Result<(), DriverError> {
        self.make_nodes(target).await.map_err(|error| {
            ErrorKind::Unknown.because(format!("the cluster is there and has no nodes yet: {error}"))
        })
    }

    async fn make_nodes(&self, target: &Target) -> Result<(), DriverError> {
        let Action::KubernetesCluster {
            name, subnets, security_groups, key_pair, instance_type, nodes, ..
        } = &target.action
        else {
            unreachable!("only clusters are completed here")
        };
        let [_, node_role] = self.roles()?;
        let mut patience = Patience::with(format!("cluster \"{name}\""));
        loop {
            let told = self.eks(Method::GET, &["clusters", name], None).await?;
            match say(&told, "/cluster/status") {
                "ACTIVE" => break,
                "FAILED" => return Err(ErrorKind::Unknown.because("EKS says that the cluster failed")),
                _ => patience.wait().await?,
            }
        }
        let mut ids = Vec::new();
        for subnet in subnets {
            ids.push(self.needed(target, Kind::Subnet, subnet).await?.id);
        }
        let mut groups = Vec::new();
        for group in security_groups {
            groups.push(self.needed(target, Kind::SecurityGroup, group).await?.id);
        }
        let mut access = json!({"ec2SshKey": key_pair});
        if !groups.is_empty() {
            access["sourceSecurityGroups"] = json!(groups);
        }
        let body = json!({
            "nodegroupName": name, "nodeRole": node_role, "subnets": ids, "instanceTypes": [instance_type],
            "scalingConfig": {"minSize": nodes, "maxSize": nodes, "desiredSize": nodes},
            "remoteAccess": access, "clientRequestToken": owner::token(&target.owner, 0),
            "tags": labels(&target.owner, name),
        });
        match self.eks(Method::POST, &["clusters", name, "node-groups"], Some(&body)).await {
            Ok(_) | Err(DriverError { kind: ErrorKind::Conflict, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The roles that EKS and its nodes work with.
    pub(super) fn roles(&self) -> Result<[&str; 2], DriverError> {
        match (&self.cloud.cluster_role, &self.cloud.node_role) {
            (Some(cluster), Some(node)) => Ok([cluster, node]),
            _ => {
                let what = "a cluster works with two roles of yours: name them in the connection's \"cluster_role\" and \
                            \"node_role\" settings, for example \"arn:aws:iam::123456789012:role/eks-cluster\"";
                Err(ErrorKind::Invalid.because(what))
            }
        }
    }

    /// A subnet in a second zone, where the plan's are all in one: the one that is left, or a new one.
    async fn control_subnet(&self, target: &Target, placed: &[Found]) -> Result<Option<String>, DriverError> {
        let zone_of = |subnet: &Found| text(&subnet.info, "availabilityZone").to_owned();
        let Some(first) = placed.first() else { return Ok(None) };
        if placed.iter().any(|subnet| zone_of(subnet) != zone_of(first)) {
            return Ok(None);
        }
        if let Some(left) = self.control_subnets(&target.owner).await?.into_iter().next() {
            return Ok(Some(left.id));
        }
        let network = text(&first.info, "vpcId").to_owned();
        let query = Query::new().filter("vpc-id", [network.as_str()]);
        let networks = self.all("DescribeVpcs", &query, "vpcSet").await?;
        let siblings = self.all("DescribeSubnets", &query, "subnetSet").await?;
        let whole = networks.first().map_or("", |vpc| text(vpc, "cidrBlock"));
        let Some(block) = free_block(whole, &siblings) else {
            let what = format!(
                "a cluster needs subnets in two zones, and the network of \"{}\" has no 16 addresses left for another",
                first.name
            );
            return Err(ErrorKind::NoCapacity.because(what));
        };
        let zones = self.zones().await?;
        let Some(zone) = zones.into_iter().find(|zone| *zone != zone_of(first)) else {
            let what = format!(
                "a cluster needs subnets in two zones, and the account may use one of {}",
                self.region
            );
            return Err(ErrorKind::NoCapacity.because(what));
        };
        let query = Query::new()
            .set("VpcId", network)
            .set("CidrBlock", block)
            .set("AvailabilityZone", zone)
            .tagged("subnet", &owner::tags(&target.owner, target.name(), &[(PART, "cluster")]));
        let made = self.ec2("CreateSubnet", &query).await?;
        Ok(Some(text(&made, "subnet/subnetId").to_owned()))
    }

    async fn control_subnets(&self, owner: &Ownership) -> Result<Vec<Found>, DriverError> {
        let query = Query::new()
            .filter(&format!("tag:{}", Ownership::TAG_KEY), [owner.key.0.as_str()])
            .filter(&format!("tag:{PART}"), ["cluster"]);
        let listed = self.all("DescribeSubnets", &query, "subnetSet").await?;
        Ok(listed.into_iter().map(subnet).collect())
    }

    async fn clear_control_subnet(&self, owner: &Ownership) -> Result<(), DriverError> {
        for subnet in self.control_subnets(owner).await? {
            let mut patience = Patience::with(format!("the subnet of cluster \"{}\"", subnet.name));
            loop {
                match self.gone("DeleteSubnet", "SubnetId", &subnet.id).await {
                    // The interfaces of a control plane go a little later than itself.
                    Err(DriverError { kind: ErrorKind::Conflict, .. }) => patience.wait().await?,
                    result => break result?,
                }
            }
        }
        Ok(())
    }

    /// In what a cluster differs from what is wanted.
    pub(super) fn cluster_differences(target: &Target, found: &Found) -> Vec<String> {
        let Action::KubernetesCluster { version, instance_type, nodes, .. } = &target.action else {
            return Vec::new();
        };
        let nodes = nodes.to_string();
        let wanted = [
            ("version", version.as_deref()),
            ("instance type", Some(instance_type)),
            ("nodes", Some(&nodes)),
        ];
        let differences = wanted.into_iter().filter_map(|(what, wanted)| {
            let (is, wanted) = (found.more.get(what)?, wanted?);
            (is != wanted).then(|| format!("{what} is {is} instead of {wanted}"))
        });
        differences.collect()
    }

    pub(super) async fn clear_cluster(&self, found: &Found) -> Result<(), DriverError> {
        let name = found.name.as_str();
        if found.part().is_empty() {
            let mut patience = Patience::with(format!("cluster \"{name}\""));
            // A cluster does not go before its nodes, and neither does while it is being made.
            for group in self.node_groups(name).await? {
                self.clear_one(&["clusters", name, "node-groups", &group], &mut patience).await?;
            }
            self.clear_one(&["clusters", name], &mut patience).await?;
        }
        match &found.owner {
            Some(owner) => self.clear_control_subnet(owner).await,
            None => Ok(()),
        }
    }

    async fn node_groups(&self, name: &str) -> Result<Vec<String>, DriverError> {
        match self.names(&["clusters", name, "node-groups"], "nodegroups").await {
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(Vec::new()),
            result => result,
        }
    }

    /// Removes a cluster or a group of nodes and waits until it is gone.
    async fn clear_one(&self, path: &[&str], patience: &mut Patience) -> Result<(), DriverError> {
        let mut asked = false;
        while self.look(path).await?.is_some() {
            if !asked {
                match self.eks(Method::DELETE, path, None).await {
                    Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => asked = true,
                    Err(DriverError { kind: ErrorKind::Conflict | ErrorKind::Throttled { .. }, .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            patience.wait().await?;
        }
        Ok(())
    }
}

fn labels(owner: &Ownership, name: &str) -> Value {
    json!(owner::tags(owner, name, &[]).into_iter().collect::<std::collections::BTreeMap<_, _>>())
}

/// Whether EKS takes a name.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn cluster(name: &str, told: &Value, nodes: Option<&Value>) -> Found {
    let tags = told.pointer("/cluster/tags").and_then(Value::as_object).into_iter().flatten();
    let marks =
        owner::of_pairs(tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))));
    let state = say(told, "/cluster/status");
    let of_nodes = nodes.map_or("", |nodes| say(nodes, "/nodegroup/status"));
    let why = |value: &Value, path: &str| {
        let issues = value.pointer(path).and_then(Value::as_array).into_iter().flatten();
        let said: Vec<&str> = issues.map(|issue| say(issue, "/message")).collect();
        if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
    };
    let status = match (state, of_nodes) {
        ("FAILED", _) => Status::Broken(format!(
            "EKS says that the cluster failed: {}",
            why(told, "/cluster/health/issues")
        )),
        (_, "CREATE_FAILED") => {
            let nodes = nodes.expect("it has a state");
            let why = why(nodes, "/nodegroup/health/issues");
            Status::Broken(format!("EKS says that the nodes could not be made: {why}"))
        }
        ("CREATING" | "PENDING", _) | (_, "CREATING") => Status::Creating,
        _ => Status::Ready,
    };
    let mut found = Found {
        id: say(told, "/cluster/arn").to_owned(),
        complete: nodes.is_some() || marks.owner.is_none(),
        leaving: state == "DELETING",
        status,
        ..Found::marked(Element::default(), marks)
    };
    found.name = name.to_owned();
    found.more.insert("version".to_owned(), say(told, "/cluster/version").to_owned());
    if let Some(nodes) = nodes {
        let count = nodes.pointer("/nodegroup/scalingConfig/desiredSize").and_then(Value::as_u64);
        found.more.insert("nodes".to_owned(), count.unwrap_or_default().to_string());
        found.more.insert("instance type".to_owned(), say(nodes, "/nodegroup/instanceTypes/0").to_owned());
    }
    found
}

/// The last sixteen addresses of a network that no subnet has.
fn free_block(network: &str, subnets: &[Element]) -> Option<String> {
    let (first, prefix) = network.split_once('/')?;
    let first = u32::from(first.parse::<Ipv4Addr>().ok()?);
    let size =
        1u32.checked_shl(32 - prefix.parse::<u32>().ok().filter(|prefix| (16..=28).contains(prefix))?)?;
    let taken: Vec<Cidr> =
        subnets.iter().filter_map(|subnet| Cidr::parse(text(subnet, "cidrBlock"))).collect();
    let blocks = (1..=size / CONTROL_SUBNET)
        .map(|back| format!("{}/28", Ipv4Addr::from(first + size - back * CONTROL_SUBNET)));
    let is_free = |block: &String| {
        Cidr::parse(block).is_some_and(|block| !taken.iter().any(|other| other.overlaps(block)))
    };
    blocks.into_iter().find(is_free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_behind_the_subnets_of_a_plan() {
        let subnets = |blocks: &[&str]| -> Vec<Element> {
            let item = |block: &&str| format!("<item><cidrBlock>{block}</cidrBlock></item>");
            carafe_inventory::xml::parse(&blocks.iter().map(item).collect::<String>()).expect("XML")
        };
        let free = |network, blocks: &[&str]| free_block(network, &subnets(blocks));
        assert_eq!(free("10.0.0.0/16", &["10.0.0.0/20"]).as_deref(), Some("10.0.255.240/28"));
        assert_eq!(free("10.0.0.0/16", &["10.0.240.0/20"]).as_deref(), Some("10.0.239.240/28"));
        assert_eq!(free("10.0.0.0/24", &["10.0.0.0/24"]), None);
        assert_eq!(free("10.0.0.0/28", &[]).as_deref(), Some("10.0.0.0/28"));
        assert_eq!(free("everything", &[]), None);
    }
}
