//! How much there is left: quotas of the account, and which instance types a region sells.

use std::collections::{BTreeMap, BTreeSet};

use carafe_inventory::xml::Element;
use serde_json::{Value, json};

use super::client::Query;
use super::site::Site;
use super::xml::{rows, text, whole};
use crate::drivers::{DriverError, ErrorKind, Kind, Quota, Sale};

/// What Service Quotas calls limits of ours: kind, service, code.
const QUOTAS: [(Kind, &str, &str); 4] = [
    (Kind::Network, "vpc", "L-F678F1CE"),
    (Kind::SecurityGroup, "vpc", "L-E79EC296"),
    (Kind::LoadBalancer, "elasticloadbalancing", "L-69A177A2"),
    (Kind::KubernetesCluster, "eks", "L-1194D53C"),
];
/// Virtual CPUs of the standard families on demand: A, C, D, H, I, M, R, T and Z.
const STANDARD_VCPUS: (&str, &str) = ("ec2", "L-1216C47A");
const STANDARD: &str = "acdhimrtz";
/// How many values a filter of EC2 takes.
const MOST_VALUES: usize = 200;

/// What EC2 says about an instance type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MachineType {
    /// Virtual CPUs.
    pub(super) vcpus: u64,
    /// Memory in MiB.
    pub(super) memory: u64,
    /// Instruction sets.
    pub(super) architectures: Vec<String>,
}

impl Site<'_> {
    /// Limits of the account by kind; what cannot be read is absent.
    pub(super) async fn quotas(&self) -> Result<BTreeMap<Kind, Quota>, DriverError> {
        let mut quotas = BTreeMap::new();
        for kind in [
            Kind::Network,
            Kind::SecurityGroup,
            Kind::PublicAddress,
            Kind::LoadBalancer,
            Kind::KubernetesCluster,
        ] {
            quotas.extend(self.quota(kind).await?.map(|quota| (kind, quota)));
        }
        Ok(quotas)
    }

    /// The limit of a kind with what is used of it.
    async fn quota(&self, kind: Kind) -> Result<Option<Quota>, DriverError> {
        let limit = match QUOTAS.iter().find(|(known, ..)| *known == kind) {
            Some((_, service, code)) => self.limit(service, code).await?,
            None if kind == Kind::PublicAddress => self.attribute("vpc-max-elastic-ips").await?,
            None => None,
        };
        let Some(limit) = limit else { return Ok(None) };
        let everything = Query::new();
        let used = match kind {
            Kind::Network => self.all("DescribeVpcs", &everything, "vpcSet").await?.len(),
            Kind::SecurityGroup => {
                self.all("DescribeSecurityGroups", &everything, "securityGroupInfo").await?.len()
            }
            Kind::PublicAddress => self.all("DescribeAddresses", &everything, "addressesSet").await?.len(),
            Kind::LoadBalancer => self.network_balancers().await?,
            Kind::KubernetesCluster => self.cluster_count().await?,
            Kind::Subnet | Kind::KeyPair | Kind::Machine | Kind::Disk | Kind::Attachment => return Ok(None),
        };
        Ok(Some(Quota { limit, used: used as u64 }))
    }

    /// A limit by Service Quotas: the one of the account, or the usual one; `None` where the account may not ask.
    async fn limit(&self, service: &str, code: &str) -> Result<Option<u64>, DriverError> {
        let body = json!({"ServiceCode": service, "QuotaCode": code});
        let target = "ServiceQuotasV20190624.GetServiceQuota";
        match self.cloud.client.read_json(&self.region, "servicequotas", target, &body).await {
            // It is written as a fraction and is a whole number.
            Ok(told) => Ok(told.pointer("/Quota/Value").and_then(Value::as_f64).map(|value| value as u64)),
            Err(DriverError { kind: ErrorKind::NotFound | ErrorKind::Denied, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn attribute(&self, name: &str) -> Result<Option<u64>, DriverError> {
        let query = Query::new().list("AttributeName", [name]);
        let told = self.all("DescribeAccountAttributes", &query, "accountAttributeSet").await?;
        let named = told.iter().find(|attribute| text(attribute, "attributeName") == name);
        Ok(named.and_then(|attribute| {
            rows(attribute, "attributeValueSet").next().and_then(|value| whole(value, "attributeValue"))
        }))
    }

    /// Why the account may not have one more of a kind.
    pub(super) async fn quota_refusal(&self, kind: Kind) -> Result<Option<DriverError>, DriverError> {
        let full = self.quota(kind).await?.filter(|quota| quota.used >= quota.limit);
        Ok(full.map(|quota| {
            ErrorKind::Quota.because(format!(
                "the account may have {} of kind {} in {}, and has {}; ask AWS for a higher quota",
                quota.limit,
                kind.words(),
                self.region,
                quota.used
            ))
        }))
    }

    /// Why the account may not have a machine more of a type, by the virtual CPUs that it has in use.
    pub(super) async fn vcpu_refusal(
        &self,
        instance_type: &str,
        needed: u64,
    ) -> Result<Option<DriverError>, DriverError> {
        let family: String = instance_type.chars().take_while(char::is_ascii_alphabetic).collect();
        if family.len() != 1 || !STANDARD.contains(&family) {
            return Ok(None);
        }
        let Some(limit) = self.limit(STANDARD_VCPUS.0, STANDARD_VCPUS.1).await? else { return Ok(None) };
        let query = Query::new().filter("instance-state-name", ["pending", "running"]);
        let standard = |info: &Element| {
            let mut of_type = text(info, "instanceType").chars();
            of_type.next().is_some_and(|first| STANDARD.contains(first))
                && of_type.next().is_some_and(|second| second.is_ascii_digit())
        };
        let vcpus = |info: &Element| {
            let [cores, threads] = ["coreCount", "threadsPerCore"]
                .map(|name| whole(info, &format!("cpuOptions/{name}")).unwrap_or(1));
            cores * threads
        };
        let machines = self.instances(&query).await?;
        let used: u64 = machines
            .iter()
            .filter(|machine| standard(&machine.info))
            .map(|machine| vcpus(&machine.info))
            .sum();
        Ok((used + needed > limit).then(|| {
            ErrorKind::Quota.because(format!(
                "the account may have {limit} virtual CPUs of standard machines in {}, has {used}, and this needs \
                 {needed} more; ask AWS for a higher quota",
                self.region
            ))
        }))
    }

    /// Which of these instance types the region offers.
    pub(super) async fn sales(&self, types: &[String]) -> Result<BTreeMap<String, Sale>, DriverError> {
        let mut sold = BTreeMap::new();
        for some in types.chunks(MOST_VALUES) {
            let query = Query::new()
                .set("LocationType", "region")
                .filter("instance-type", some.iter().map(String::as_str));
            let listed = self.all("DescribeInstanceTypeOfferings", &query, "instanceTypeOfferingSet").await?;
            sold.extend(listed.iter().map(|offer| (text(offer, "instanceType").to_owned(), Sale::default())));
        }
        Ok(sold)
    }

    /// The zones in which an instance type is offered.
    pub(super) async fn zones_of(&self, instance_type: &str) -> Result<BTreeSet<String>, DriverError> {
        let query =
            Query::new().set("LocationType", "availability-zone").filter("instance-type", [instance_type]);
        let listed = self.all("DescribeInstanceTypeOfferings", &query, "instanceTypeOfferingSet").await?;
        Ok(listed.iter().map(|offer| text(offer, "location").to_owned()).collect())
    }

    /// What EC2 says about an instance type.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the region has none of that name.
    pub(super) async fn machine_type(&self, name: &str) -> Result<MachineType, DriverError> {
        let key = (self.region.clone(), name.to_owned());
        if let Some(known) = self.cloud.cache().types.get(&key) {
            return Ok(known.clone());
        }
        let query = Query::new().filter("instance-type", [name]);
        let listed = self.all("DescribeInstanceTypes", &query, "instanceTypeSet").await?;
        let Some(info) = listed.first() else {
            let what = format!("{} has no instance type {name}", self.region);
            return Err(ErrorKind::NotFound.because(what));
        };
        let found = MachineType {
            vcpus: whole(info, "vCpuInfo/defaultVCpus").unwrap_or_default(),
            memory: whole(info, "memoryInfo/sizeInMiB").unwrap_or_default(),
            architectures: rows(info, "processorInfo/supportedArchitectures")
                .map(|one| one.text.trim().to_owned())
                .collect(),
        };
        self.cloud.cache().types.insert(key, found.clone());
        Ok(found)
    }
}
