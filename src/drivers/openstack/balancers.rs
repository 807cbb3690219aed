//! Octavia: a load balancer with listener, pool, members and health monitor, made by one call.

use carafe_model::steps::Action;
use serde_json::{Value, json};

use super::json::{rows, text, whole};
use super::owner;
use super::site::{Found, Patience, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Status, Target};

const OCTAVIA: Service = Service::Balancer;
/// Seconds between two looks at a member, for an answer, and answers in a row, where the plan says nothing.
const DELAY: u32 = 5;
const TIMEOUT: u32 = 3;
const THRESHOLD: u32 = 3;

impl Site<'_> {
    pub(super) async fn balancers(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        if !self.has(OCTAVIA).await? {
            return Ok(Vec::new());
        }
        let project = self.project().await?;
        let mut query = vec![("project_id", project.as_str())];
        query.extend(name.map(|name| ("name", name)));
        let listed = self.all(OCTAVIA, &["lbaas", "loadbalancers"], &query, "loadbalancers").await?;
        let mut found: Vec<Found> = listed.into_iter().map(balancer).collect();
        found.retain(|found| text(&found.info, "provisioning_status") != "DELETED");
        if found.iter().any(|found| found.more.get("public").is_some_and(|flag| flag == "1"))
            || name.is_none()
        {
            let addresses = self.balancer_addresses().await?;
            for balancer in &mut found {
                let port = text(&balancer.info, "vip_port_id");
                let has_address = addresses.iter().any(|address| text(&address.info, "port_id") == port);
                balancer.complete = has_address || balancer.more.get("public").is_none_or(|flag| flag != "1");
            }
            // An address whose load balancer is gone is what was left of one.
            let orphans = addresses.into_iter().filter(|address| {
                name.is_none_or(|name| address.name == name)
                    && !found
                        .iter()
                        .any(|found| address.owner.as_ref().is_some_and(|owner| found.is_for(owner)))
            });
            let orphans: Vec<Found> = orphans.map(|address| Found { complete: false, ..address }).collect();
            found.extend(orphans);
        }
        Ok(found)
    }

    pub(super) async fn make_balancer(&self, target: &Target) -> Result<(), DriverError> {
        let Action::LoadBalancer {
            name,
            subnet,
            public,
            protocol,
            port,
            member_port,
            members,
            health_check,
            ..
        } = &target.action
        else {
            unreachable!("only load balancers are made here")
        };
        let subnet = self.needed(target, Kind::Subnet, subnet).await?;
        let mut listed = Vec::new();
        for member in members {
            let machine = self.needed(target, Kind::Machine, member).await?;
            let mut body = json!({
                "name": member, "address": self.address_of(&machine)?, "protocol_port": member_port,
                "subnet_id": subnet.id,
            });
            if let Some(port) = health_check.as_ref().and_then(|check| check.port) {
                body["monitor_port"] = port.into();
            }
            listed.push(body);
        }
        let protocol = protocol.to_uppercase();
        let check = health_check.as_ref();
        let delay = check.and_then(|check| check.interval_seconds).unwrap_or(DELAY);
        let monitor = json!({
            "type": match check.map_or("tcp", |check| check.protocol.as_str()) {
                "http" => "HTTP",
                _ if protocol == "UDP" => "UDP-CONNECT",
                _ => "TCP",
            },
            "delay": delay,
            "timeout": check.and_then(|check| check.timeout_seconds).unwrap_or(TIMEOUT.min(delay)),
            "max_retries": check.and_then(|check| check.threshold).unwrap_or(THRESHOLD).clamp(1, 10),
        });
        let flag = if *public { "1" } else { "0" };
        let body = json!({"loadbalancer": {
            "name": name, "vip_subnet_id": subnet.id,
            "description": owner::words(&target.owner, &[("public", flag)]), "tags": owner::tags(&target.owner),
            "listeners": [{
                "name": name, "protocol": protocol, "protocol_port": port,
                "default_pool": {
                    "name": name, "protocol": protocol, "lb_algorithm": "ROUND_ROBIN", "members": listed,
                    "healthmonitor": monitor,
                },
            }],
        }});
        let mut answer = self.post(OCTAVIA, &["lbaas", "loadbalancers"], &body).await?;
        let made = balancer(answer["loadbalancer"].take());
        // What refuses the address leaves a load balancer that is being made and cannot be removed yet, so the refusal
        // waits until it is asked for again.
        self.complete_balancer(&made).await.map_err(|error| {
            ErrorKind::Unknown
                .because(format!("the load balancer is there and has no public address: {error}"))
        })
    }

    /// Gives a load balancer its public address.
    pub(super) async fn complete_balancer(&self, found: &Found) -> Result<(), DriverError> {
        let Some(owner) = found.owner.as_ref().filter(|_| found.more.get("public").is_some_and(|p| p == "1"))
        else {
            return Ok(());
        };
        let more = [("part", "load-balancer"), ("name", found.name.as_str())];
        self.float(owner, &more, text(&found.info, "vip_port_id")).await
    }

    pub(super) async fn balancer_differences(
        &self,
        target: &Target,
        found: &Found,
    ) -> Result<Vec<String>, DriverError> {
        let Action::LoadBalancer { public, protocol, port, member_port, members, .. } = &target.action else {
            return Ok(Vec::new());
        };
        let mut told = Vec::new();
        let is_public = found.more.get("public").is_some_and(|flag| flag == "1");
        if is_public != *public {
            told.push(format!("it is {} to the internet", if is_public { "open" } else { "not open" }));
        }
        let of_it = [("loadbalancer_id", found.id.as_str())];
        let listeners = self.all(OCTAVIA, &["lbaas", "listeners"], &of_it, "listeners").await?;
        let listens = |listener: &Value| {
            whole(listener, "protocol_port") == Some(u64::from(*port))
                && text(listener, "protocol").eq_ignore_ascii_case(protocol)
        };
        if listeners.len() != 1 || !listeners.iter().all(listens) {
            told.push(format!("it does not listen on {protocol} {port} alone"));
        }
        let pools = self.all(OCTAVIA, &["lbaas", "pools"], &of_it, "pools").await?;
        let mut is = Vec::new();
        for pool in &pools {
            let path = ["lbaas", "pools", text(pool, "id"), "members"];
            is.extend(self.all(OCTAVIA, &path, &[], "members").await?);
        }
        let mut is: Vec<String> = is
            .iter()
            .map(|member| {
                format!("{}:{}", text(member, "address"), whole(member, "protocol_port").unwrap_or_default())
            })
            .collect();
        let mut wanted = Vec::new();
        for member in members {
            match self.standing(target, Kind::Machine, member).await? {
                Some(machine) => wanted.push(format!("{}:{member_port}", self.address_of(&machine)?)),
                None => told.push(format!("its member {member} is not there")),
            }
        }
        is.sort();
        wanted.sort();
        if is != wanted {
            told.push(format!("its members are {} instead of {}", is.join(", "), wanted.join(", ")));
        }
        Ok(told)
    }

    pub(super) async fn clear_balancer(&self, found: &Found) -> Result<(), DriverError> {
        if let Some(owner) = &found.owner {
            for address in self.balancer_addresses().await? {
                if address.is_for(owner) {
                    self.clear_address(&address).await?;
                }
            }
        }
        if found.more.contains_key("part") {
            return Ok(());
        }
        let path = ["lbaas", "loadbalancers", &found.id];
        let mut asked = false;
        let mut patience = Patience::with(format!("load balancer \"{}\"", found.name));
        while let Some(now) = self.look(OCTAVIA, &path).await? {
            match text(&now, "loadbalancer/provisioning_status") {
                "DELETED" => break,
                "ERROR" if asked => {
                    let what = format!("Octavia could not remove load balancer \"{}\"", found.name);
                    return Err(ErrorKind::Unknown.because(what));
                }
                // What is being made or changed cannot be removed yet.
                "PENDING_CREATE" | "PENDING_UPDATE" | "PENDING_DELETE" => {}
                _ => match self.delete_with(OCTAVIA, &path, &[("cascade", "true")]).await {
                    Ok(()) => asked = true,
                    Err(DriverError { kind: ErrorKind::Throttled { .. }, .. }) => {}
                    Err(error) => return Err(error),
                },
            }
            patience.wait().await?;
        }
        Ok(())
    }
}

fn balancer(info: Value) -> Found {
    let state = text(&info, "provisioning_status").to_owned();
    let status = match state.as_str() {
        "ERROR" => Status::Broken("Octavia says that the load balancer is in error".to_owned()),
        "PENDING_CREATE" | "PENDING_UPDATE" => Status::Creating,
        _ => Status::Ready,
    };
    let leaving = ["PENDING_DELETE", "DELETED"].contains(&state.as_str());
    Found { status, leaving, ..Found::described(info) }
}

/// Why Octavia would not take a load balancer, as far as its description tells.
pub(super) fn refusals(action: &Action) -> Vec<DriverError> {
    let Action::LoadBalancer { protocol, health_check, .. } = action else { return Vec::new() };
    let mut told = Vec::new();
    if !["tcp", "udp"].contains(&protocol.as_str()) {
        told.push(
            ErrorKind::Invalid.because(format!("a load balancer passes tcp or udp on, not {protocol}")),
        );
    }
    if let Some(check) = health_check
        && let (Some(delay), Some(timeout)) = (check.interval_seconds, check.timeout_seconds)
        && timeout > delay
    {
        let what = format!("a health check that waits {timeout} s cannot repeat every {delay} s");
        told.push(ErrorKind::Invalid.because(what));
    }
    told
}

impl Site<'_> {
    /// How many load balancers the project has.
    pub(super) async fn balancer_count(&self) -> Result<u64, DriverError> {
        let project = self.project().await?;
        let query = [("project_id", project.as_str()), ("fields", "id")];
        let listed = self.all(OCTAVIA, &["lbaas", "loadbalancers"], &query, "loadbalancers").await?;
        Ok(rows(&json!({"all": listed}), "all").count() as u64)
    }
}
