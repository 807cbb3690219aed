//! Network load balancers: each with a target group, its targets and a listener, which are parts of it.

use std::collections::{BTreeMap, BTreeSet};

use carafe_inventory::xml::Element;
use carafe_model::document::sha256;
use carafe_model::estate::HealthCheck;
use carafe_model::steps::Action;

use super::client::{ELB, Query};
use super::owner::{self, Marks};
use super::site::{Found, Patience, Site};
use super::xml::{rows, text, whole};
use crate::drivers::{DriverError, ErrorKind, Kind, Status, Target};

/// The longest name of a load balancer or target group.
const LONGEST_NAME: usize = 32;
/// How many resources one call tells the tags of.
const TAGS_AT_ONCE: usize = 20;
/// Seconds between two looks at a member, for an answer, and answers in a row, where the plan says nothing.
const INTERVAL: u32 = 10;
const THRESHOLD: u32 = 3;

/// What Elastic Load Balancing calls something: its own name where that fits the rules of AWS, else the beginning of it
/// and a digest of the whole.
pub(super) fn short_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let fits = name.len() <= LONGEST_NAME
        && name.chars().all(plain)
        && !name.starts_with(['-'])
        && !name.ends_with(['-'])
        && !name.starts_with("internal-");
    if fits {
        return name.to_owned();
    }
    let mut short: String = name.chars().map(|c| if plain(c) { c } else { '-' }).take(22).collect();
    short = short.trim_matches('-').to_owned();
    let digest = sha256(name.as_bytes());
    format!("c{short}-{}", &digest[..8])
}

impl Site<'_> {
    async fn elb(&self, action: &str, query: &Query) -> Result<Element, DriverError> {
        self.cloud.client.call(&self.region, ELB, action, query).await
    }

    /// Lists something of Elastic Load Balancing; that nothing bears a name is no error here.
    async fn elb_all(&self, action: &str, query: &Query, list: &str) -> Result<Vec<Element>, DriverError> {
        match self.cloud.client.marked(&self.region, ELB, action, query, list).await {
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(Vec::new()),
            result => result,
        }
    }

    /// Load balancers or target groups with their marks; `id` is the word for their identifier.
    async fn marked(&self, listed: Vec<Element>, id: &'static str) -> Result<Vec<Found>, DriverError> {
        let mut marks: BTreeMap<String, Marks> = BTreeMap::new();
        for some in listed.chunks(TAGS_AT_ONCE) {
            let query = Query::new().list("ResourceArns.member", some.iter().map(|info| text(info, id)));
            let told = self.elb_all("DescribeTags", &query, "TagDescriptions").await?;
            marks.extend(
                told.iter().map(|one| (text(one, "ResourceArn").to_owned(), owner::of_element(one, "Tags"))),
            );
        }
        let found = listed.into_iter().map(|info| {
            let id = text(&info, id).to_owned();
            let marks = marks.remove(&id).unwrap_or_default();
            Found { id, created: text(&info, "CreatedTime").to_owned(), ..Found::marked(info, marks) }
        });
        Ok(found.collect())
    }

    pub(super) async fn balancers(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let short = name.map(short_name);
        let named = |query: Query| match &short {
            Some(short) => query.set("Names.member.1", short),
            None => query,
        };
        let listed = self.elb_all("DescribeLoadBalancers", &named(Query::new()), "LoadBalancers").await?;
        let mut found = self.marked(listed, "LoadBalancerArn").await?;
        for balancer in &mut found {
            if balancer.owner.is_none() {
                balancer.name = text(&balancer.info, "LoadBalancerName").to_owned();
            }
            balancer.status = match text(&balancer.info, "State/Code") {
                "provisioning" => Status::Creating,
                "failed" => Status::Broken(format!(
                    "AWS says that the load balancer failed: {}",
                    text(&balancer.info, "State/Reason")
                )),
                _ => Status::Ready,
            };
        }
        let groups = self.elb_all("DescribeTargetGroups", &named(Query::new()), "TargetGroups").await?;
        let groups = self.marked(groups, "TargetGroupArn").await?;
        if name.is_some() {
            for balancer in &mut found {
                balancer.complete = self.is_complete(balancer, &groups).await?;
            }
        }
        // A target group whose load balancer is gone is what was left of one.
        let orphans = groups.into_iter().filter(|group| {
            group.owner.as_ref().is_some_and(|owner| !found.iter().any(|balancer| balancer.is_for(owner)))
        });
        let orphans: Vec<Found> = orphans.map(|group| Found { complete: false, ..group }).collect();
        found.extend(orphans);
        Ok(found)
    }

    /// How many load balancers of this kind the account has in the region.
    pub(super) async fn network_balancers(&self) -> Result<usize, DriverError> {
        let listed = self.elb_all("DescribeLoadBalancers", &Query::new(), "LoadBalancers").await?;
        Ok(listed.iter().filter(|balancer| text(balancer, "Type") == "network").count())
    }

    /// Whether a load balancer of Carafe has all of its parts; the listener is made last.
    async fn is_complete(&self, balancer: &Found, groups: &[Found]) -> Result<bool, DriverError> {
        let Some(owner) = &balancer.owner else { return Ok(true) };
        if !groups.iter().any(|group| group.is_for(owner)) {
            return Ok(false);
        }
        Ok(!self.listeners(&balancer.id).await?.is_empty())
    }

    async fn listeners(&self, balancer: &str) -> Result<Vec<Element>, DriverError> {
        let query = Query::new().set("LoadBalancerArn", balancer);
        self.elb_all("DescribeListeners", &query, "Listeners").await
    }

    pub(super) async fn make_balancer(&self, target: &Target) -> Result<(), DriverError> {
        let Action::LoadBalancer { name, subnet, public, members, .. } = &target.action else {
            unreachable!("only load balancers are made here")
        };
        let front = self.needed(target, Kind::Subnet, subnet).await?;
        // A member in a zone where the load balancer has no subnet would get nothing: one subnet for each zone.
        let mut zones =
            BTreeMap::from([(text(&front.info, "availabilityZone").to_owned(), front.id.clone())]);
        for member in members {
            let machine = self.needed(target, Kind::Machine, member).await?;
            let zone = text(&machine.info, "placement/availabilityZone").to_owned();
            zones.entry(zone).or_insert_with(|| text(&machine.info, "subnetId").to_owned());
        }
        let tags = owner::tags(&target.owner, name, &[]);
        let query = Query::new()
            .set("Name", short_name(name))
            .set("Type", "network")
            .set("Scheme", if *public { "internet-facing" } else { "internal" })
            .list("Subnets.member", zones.values().map(String::as_str))
            .pairs("Tags.member", &tags);
        self.elb("CreateLoadBalancer", &query).await?;
        match self.complete_balancer(target).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.kind == ErrorKind::Unknown => Err(refusal),
            Err(refusal) => match self.clear_own_balancer(target).await {
                Ok(()) => Err(refusal),
                Err(error) => Err(ErrorKind::Unknown.because(format!("{refusal}, and then: {error}"))),
            },
        }
    }

    /// Takes back what there is of a load balancer, so that a refusal leaves nothing.
    async fn clear_own_balancer(&self, target: &Target) -> Result<(), DriverError> {
        for found in self.balancers(Some(target.name())).await?.iter().filter(|f| f.is_for(&target.owner)) {
            self.clear_balancer(found).await?;
        }
        Ok(())
    }

    /// Makes what a load balancer lacks of its parts.
    pub(super) async fn complete_balancer(&self, target: &Target) -> Result<(), DriverError> {
        let Action::LoadBalancer { name, subnet, protocol, port, member_port, members, health_check, .. } =
            &target.action
        else {
            unreachable!("only load balancers are completed here")
        };
        let tags = owner::tags(&target.owner, name, &[]);
        let by_name = Query::new().set("Names.member.1", short_name(name));
        let balancers = self.elb_all("DescribeLoadBalancers", &by_name, "LoadBalancers").await?;
        let Some(balancer) = balancers.first() else {
            return Err(ErrorKind::Unknown.because(format!("load balancer \"{name}\" is not shown yet")));
        };
        let groups = self.elb_all("DescribeTargetGroups", &by_name, "TargetGroups").await?;
        let groups = self.marked(groups, "TargetGroupArn").await?;
        let group = match groups.into_iter().find(|group| group.is_for(&target.owner)) {
            Some(group) => group.id,
            None => {
                let network = self.needed(target, Kind::Subnet, subnet).await?;
                let query = Query::new()
                    .set("Name", short_name(name))
                    .set("Protocol", protocol.to_uppercase())
                    .set("Port", member_port.to_string())
                    .set("VpcId", text(&network.info, "vpcId"))
                    .set("TargetType", "instance");
                let query = health(query, health_check.as_ref()).pairs("Tags.member", &tags);
                let made = self.elb("CreateTargetGroup", &query).await?;
                let made = made
                    .child("CreateTargetGroupResult")
                    .and_then(|result| rows(result, "TargetGroups").next());
                made.map(|group| text(group, "TargetGroupArn").to_owned()).unwrap_or_default()
            }
        };
        let mut query = Query::new().set("TargetGroupArn", &group);
        for (at, member) in members.iter().enumerate() {
            let machine = self.needed(target, Kind::Machine, member).await?;
            let at = format!("Targets.member.{}", at + 1);
            query =
                query.set(format!("{at}.Id"), machine.id).set(format!("{at}.Port"), member_port.to_string());
        }
        self.elb("RegisterTargets", &query).await?;
        let arn = text(balancer, "LoadBalancerArn");
        if self.listeners(arn).await?.is_empty() {
            let query = Query::new()
                .set("LoadBalancerArn", arn)
                .set("Protocol", protocol.to_uppercase())
                .set("Port", port.to_string())
                .set("DefaultActions.member.1.Type", "forward")
                .set("DefaultActions.member.1.TargetGroupArn", group)
                .pairs("Tags.member", &tags);
            self.elb("CreateListener", &query).await?;
        }
        Ok(())
    }

    pub(super) async fn balancer_differences(
        &self,
        target: &Target,
        found: &Found,
    ) -> Result<Vec<String>, DriverError> {
        let Action::LoadBalancer { name, public, protocol, port, member_port, members, .. } = &target.action
        else {
            return Ok(Vec::new());
        };
        if !found.complete {
            return Ok(Vec::new());
        }
        let mut told = Vec::new();
        let is_public = text(&found.info, "Scheme") == "internet-facing";
        if is_public != *public {
            told.push(format!("it is {} to the internet", if is_public { "open" } else { "not open" }));
        }
        let listeners = self.listeners(&found.id).await?;
        let listens = |listener: &Element| {
            whole(listener, "Port") == Some(u64::from(*port))
                && text(listener, "Protocol").eq_ignore_ascii_case(protocol)
        };
        if listeners.len() != 1 || !listeners.iter().all(listens) {
            told.push(format!("it does not listen on {protocol} {port} alone"));
        }
        let by_name = Query::new().set("Names.member.1", short_name(name));
        let groups = self.elb_all("DescribeTargetGroups", &by_name, "TargetGroups").await?;
        let mut is = BTreeSet::new();
        for group in &groups {
            let query = Query::new().set("TargetGroupArn", text(group, "TargetGroupArn"));
            let health = self.elb("DescribeTargetHealth", &query).await?;
            let health = health.child("DescribeTargetHealthResult").cloned().unwrap_or_default();
            is.extend(
                rows(&health, "TargetHealthDescriptions")
                    .map(|one| format!("{}:{}", text(one, "Target/Id"), text(one, "Target/Port"))),
            );
        }
        let mut wanted = BTreeSet::new();
        for member in members {
            match self.standing(target, Kind::Machine, member).await? {
                Some(machine) => drop(wanted.insert(format!("{}:{member_port}", machine.id))),
                None => told.push(format!("its member {member} is not there")),
            }
        }
        if is != wanted {
            let words = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
            told.push(format!("its members are {} instead of {}", words(&is), words(&wanted)));
        }
        Ok(told)
    }

    pub(super) async fn clear_balancer(&self, found: &Found) -> Result<(), DriverError> {
        let is_group = is_group(found);
        let mut patience = Patience::with(format!("load balancer \"{}\"", found.name));
        if !is_group {
            self.elb("DeleteLoadBalancer", &Query::new().set("LoadBalancerArn", &found.id)).await?;
            let query = Query::new().set("LoadBalancerArns.member.1", &found.id);
            while !self.elb_all("DescribeLoadBalancers", &query, "LoadBalancers").await?.is_empty() {
                patience.wait().await?;
            }
            // Its interfaces go later than itself, and its subnets cannot go before them.
            let interfaces = found.id.split_once(":loadbalancer/").map_or("", |(_, name)| name);
            let description = format!("ELB {interfaces}");
            let query = Query::new().filter("description", [description.as_str()]);
            while !self.all("DescribeNetworkInterfaces", &query, "networkInterfaceSet").await?.is_empty() {
                patience.wait().await?;
            }
        }
        let Some(owner) = &found.owner else { return Ok(()) };
        let by_name = Query::new().set("Names.member.1", short_name(&found.name));
        let groups = self.elb_all("DescribeTargetGroups", &by_name, "TargetGroups").await?;
        for group in self.marked(groups, "TargetGroupArn").await? {
            if !group.is_for(owner) || (is_group && group.id != found.id) {
                continue;
            }
            let query = Query::new().set("TargetGroupArn", &group.id);
            loop {
                match self.elb("DeleteTargetGroup", &query).await {
                    Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => break,
                    // The listener still holds it for a moment.
                    Err(DriverError { kind: ErrorKind::Conflict, .. }) => patience.wait().await?,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Whether it is a target group that was left alone.
pub(super) fn is_group(found: &Found) -> bool {
    !text(&found.info, "TargetGroupArn").is_empty()
}

/// How a target group finds out that its targets are well.
fn health(query: Query, check: Option<&HealthCheck>) -> Query {
    let http = check.is_some_and(|check| check.protocol == "http");
    let threshold = check.and_then(|check| check.threshold).unwrap_or(THRESHOLD).clamp(2, 10).to_string();
    let seconds = |value: Option<u32>| value.map(|value| value.to_string());
    let port = check.and_then(|check| check.port).map(|port| port.to_string());
    let query = query
        .set("HealthCheckProtocol", if http { "HTTP" } else { "TCP" })
        .set("HealthCheckPort", port.as_deref().unwrap_or("traffic-port"))
        .set(
            "HealthCheckIntervalSeconds",
            check.and_then(|check| check.interval_seconds).unwrap_or(INTERVAL).to_string(),
        )
        .maybe("HealthCheckTimeoutSeconds", seconds(check.and_then(|check| check.timeout_seconds)).as_deref())
        .set("HealthyThresholdCount", &threshold)
        .set("UnhealthyThresholdCount", &threshold);
    if http { query.set("HealthCheckPath", "/") } else { query }
}

/// Why Elastic Load Balancing would not take a load balancer, as far as its description tells.
pub(super) fn refusals(action: &Action) -> Vec<DriverError> {
    let Action::LoadBalancer { protocol, health_check, .. } = action else { return Vec::new() };
    let mut told = Vec::new();
    if !["tcp", "udp"].contains(&protocol.as_str()) {
        told.push(format!("a load balancer passes tcp or udp on, not {protocol}"));
    }
    if let Some(check) = health_check {
        let outside =
            |value: Option<u32>, from: u32, to: u32| value.filter(|value| !(from..=to).contains(value));
        if let Some(interval) = outside(check.interval_seconds, 5, 300) {
            told.push(format!("a health check repeats every 5 to 300 s on AWS, not every {interval} s"));
        }
        if let Some(timeout) = outside(check.timeout_seconds, 2, 120) {
            told.push(format!("a health check waits 2 to 120 s on AWS, not {timeout} s"));
        }
        if let (Some(interval), Some(timeout)) = (check.interval_seconds, check.timeout_seconds)
            && timeout > interval
        {
            told.push(format!("a health check that waits {timeout} s cannot repeat every {interval} s"));
        }
    }
    told.into_iter().map(|what| ErrorKind::Invalid.because(what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_rules_of_elastic_load_balancing() {
        assert_eq!(short_name("erp-lb"), "erp-lb");
        for name in [
            "a".repeat(33),
            "internal-x".to_owned(),
            "erp_lb".to_owned(),
            "-x-".to_owned(),
            "부하".to_owned(),
        ] {
            let short = short_name(&name);
            assert!(short.len() <= LONGEST_NAME && !short.ends_with('-'), "{short}");
            assert!(short.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{short}");
        }
        assert_ne!(short_name(&format!("{}a", "x".repeat(40))), short_name(&format!("{}b", "x".repeat(40))));
    }
}
