//! Machines: instances of EC2.

use carafe_inventory::xml::Element;
use carafe_model::steps::Action;

use super::client::Query;
use super::owner::{self, PART};
use super::site::{Found, Patience, Site, named};
use super::volumes::USUAL_CLASS;
use super::xml::{rows, text};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

/// How often a client token may turn out to be one of an instance that is gone already.
const MOST_ATTEMPTS: usize = 4;
/// States of instances that are gone, or about to be.
const GONE: [&str; 2] = ["shutting-down", "terminated"];

impl Site<'_> {
    /// Instances that are there, and those of Carafe that AWS gave up on.
    pub(super) async fn instances(&self, query: &Query) -> Result<Vec<Found>, DriverError> {
        let reservations = self.all("DescribeInstances", query, "reservationSet").await?;
        let listed = reservations.iter().flat_map(|reservation| rows(reservation, "instancesSet"));
        let found = listed.cloned().map(instance).filter(|found| {
            text(&found.info, "instanceState/name") != "terminated"
                || matches!(found.status, Status::Broken(_))
        });
        Ok(found.collect())
    }

    pub(super) async fn machines(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        self.instances(&named(name)).await
    }

    pub(super) async fn make_machine(&self, target: &Target) -> Result<(), DriverError> {
        let Action::Machine { subnet, security_groups, key_pair, .. } = &target.action else {
            unreachable!("only machines are made here")
        };
        let subnet = self.needed(target, Kind::Subnet, subnet).await?;
        let mut groups = Vec::new();
        for group in security_groups {
            groups.push(self.needed(target, Kind::SecurityGroup, group).await?.id);
        }
        self.needed(target, Kind::KeyPair, key_pair).await?;
        let query = self
            .machine_query(target)
            .await?
            .set("SubnetId", &subnet.id)
            .list("SecurityGroupId", groups.iter().map(String::as_str))
            .set("KeyName", key_pair);
        // A token that was used for an instance which is gone would bring that one back to sight, and make none.
        let first = self.gone_before(&target.owner).await?;
        for attempt in first..first + MOST_ATTEMPTS {
            let query = query.clone().set("ClientToken", owner::token(&target.owner, attempt));
            let made = self.ec2("RunInstances", &query).await?;
            let is_there = |instance: &Element| !GONE.contains(&text(instance, "instanceState/name"));
            if rows(&made, "instancesSet").any(is_there) {
                return Ok(());
            }
        }
        let what = format!("machine \"{}\" was made and removed again and again", target.name());
        Err(ErrorKind::Unknown.because(what))
    }

    /// What is asked for, but for the places that the plan itself makes.
    pub(super) async fn machine_query(&self, target: &Target) -> Result<Query, DriverError> {
        let Action::Machine { name, instance_type, image, root_disk_gib, root_disk_class, .. } =
            &target.action
        else {
            unreachable!("only machines are made here")
        };
        let image = self.image(image).await?;
        let disk_tags = owner::tags(&target.owner, name, &[(PART, "machine")]);
        let mut query = Query::new()
            .set("ImageId", &image.id)
            .set("InstanceType", instance_type)
            .set("MinCount", "1")
            .set("MaxCount", "1")
            // Only sessions may read what a machine knows about itself, so that a forged request cannot.
            .set("MetadataOptions.HttpTokens", "required")
            .tagged("instance", &owner::tags(&target.owner, name, &[]))
            .tagged("volume", &disk_tags);
        if root_disk_gib.is_some() || root_disk_class.is_some() {
            let disk = "BlockDeviceMapping.1";
            let size = root_disk_gib.map(|size| size.0.max(image.least_gib).to_string());
            query = query
                .set(format!("{disk}.DeviceName"), &image.root_device)
                .maybe(&format!("{disk}.Ebs.VolumeSize"), size.as_deref())
                .set(format!("{disk}.Ebs.VolumeType"), root_disk_class.as_deref().unwrap_or(USUAL_CLASS))
                .set(format!("{disk}.Ebs.DeleteOnTermination"), "true");
        }
        Ok(query)
    }

    /// How many instances of a key are gone and still to be seen.
    async fn gone_before(&self, owner: &Ownership) -> Result<usize, DriverError> {
        let query = Query::new()
            .filter(&format!("tag:{}", Ownership::TAG_KEY), [owner.key.0.as_str()])
            .filter("instance-state-name", GONE);
        let reservations = self.all("DescribeInstances", &query, "reservationSet").await?;
        Ok(reservations.iter().map(|reservation| rows(reservation, "instancesSet").count()).sum())
    }

    /// In what a machine differs from what is wanted.
    pub(super) fn machine_differences(target: &Target, found: &Found) -> Vec<String> {
        let Action::Machine { instance_type, key_pair, .. } = &target.action else { return Vec::new() };
        if matches!(found.status, Status::Broken(_)) {
            return Vec::new();
        }
        let differs = |what: &str, path: &str, wanted: &str| {
            let is = text(&found.info, path);
            (is != wanted).then(|| format!("its {what} is {is} instead of {wanted}"))
        };
        let of_type = differs("instance type", "instanceType", instance_type);
        [of_type, differs("key pair", "keyName", key_pair)].into_iter().flatten().collect()
    }

    pub(super) async fn clear_machine(&self, found: &Found) -> Result<(), DriverError> {
        if let Status::Broken(_) = found.status {
            // It is gone; without its tags it is nobody's, and out of sight within the hour.
            return self
                .untag(&found.id, &[Ownership::TAG_RUN, Ownership::TAG_STEP, Ownership::TAG_KEY])
                .await;
        }
        let root = text(&found.info, "rootDeviceName");
        let data_disk = rows(&found.info, "blockDeviceMapping").find(|disk| {
            text(disk, "deviceName") != root && text(disk, "ebs/deleteOnTermination") == "false"
        });
        if let (Some(disk), false) = (data_disk, found.leaving) {
            let what = format!(
                "machine \"{}\" has data disk {} attached to it",
                found.name,
                text(disk, "ebs/volumeId")
            );
            return Err(ErrorKind::Conflict.because(what));
        }
        self.gone("TerminateInstances", "InstanceId.1", &found.id).await?;
        let mut patience = Patience::with(format!("machine \"{}\"", found.name));
        let query = Query::new().filter("instance-id", [found.id.as_str()]);
        while self.instances(&query).await?.iter().any(|left| !matches!(left.status, Status::Broken(_))) {
            patience.wait().await?;
        }
        Ok(())
    }

    /// Takes tags off something.
    pub(super) async fn untag(&self, id: &str, keys: &[&str]) -> Result<(), DriverError> {
        let tags = keys.iter().enumerate();
        let query = tags.fold(Query::new().set("ResourceId.1", id), |query, (at, key)| {
            query.set(format!("Tag.{}.Key", at + 1), *key)
        });
        match self.ec2("DeleteTags", &query).await {
            Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn instance(info: Element) -> Found {
    let found = Found::of(info, "instanceId");
    let state = text(&found.info, "instanceState/name").to_owned();
    // What somebody removed is "Client.UserInitiatedShutdown" or "Client.InstanceInitiatedShutdown".
    let code = text(&found.info, "stateReason/code");
    let given_up = GONE.contains(&state.as_str())
        && (code.starts_with("Server.") && code != "Server.ScheduledStop"
            || code.starts_with("Client.") && !code.ends_with("Shutdown"));
    let status = match state.as_str() {
        "pending" => Status::Creating,
        _ if given_up && found.owner.is_some() => {
            Status::Broken(format!("AWS gave up on it: {}", text(&found.info, "stateReason/message")))
        }
        _ => Status::Ready,
    };
    let leaving = GONE.contains(&state.as_str()) && !matches!(status, Status::Broken(_));
    Found { status, leaving, created: text(&found.info, "launchTime").to_owned(), ..found }
}
