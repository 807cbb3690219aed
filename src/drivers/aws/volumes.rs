//! Volumes, and their attachment to machines.
//!
//! An attachment bears nothing of its own, so tags of the volume say whose it is. They are written before the volume is
//! attached: an attachment without them would be nobody's.

use std::collections::BTreeSet;

use carafe_inventory::xml::Element;
use carafe_model::steps::Action;

use super::client::Query;
use super::owner::{self, Marks};
use super::site::{Found, Patience, Site, named};
use super::xml::{rows, text, whole};
use crate::drivers::{DriverError, ErrorKind, IdempotencyKey, Kind, Ownership, Status, Target};

/// The class of a disk for which the plan names none: the one that AWS recommends.
pub(super) const USUAL_CLASS: &str = "gp3";
/// How often a client token may turn out to be one of a volume that is gone already.
const MOST_ATTEMPTS: usize = 4;
/// What the tags of an attachment begin with.
const ATTACHMENT: &str = "carafe-attachment-";
const PARTS: [&str; 4] = ["name", "run", "step", "key"];

fn volume(info: Element) -> Found {
    let found = Found::of(info, "volumeId");
    let status = match text(&found.info, "status") {
        "creating" => Status::Creating,
        "error" => Status::Broken("AWS says that the disk is in error".to_owned()),
        _ => Status::Ready,
    };
    let leaving = ["deleting", "deleted"].contains(&text(&found.info, "status"));
    Found { status, leaving, created: text(&found.info, "createTime").to_owned(), ..found }
}

/// The machine a volume is plugged into, if any.
fn plug(volume: &Found) -> Option<&Element> {
    rows(&volume.info, "attachmentSet").find(|plug| text(plug, "status") != "detached")
}

impl Site<'_> {
    /// Disks; those that machines boot from are parts of machines and left out.
    pub(super) async fn volumes(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let listed = self.all("DescribeVolumes", &named(name), "volumeSet").await?;
        Ok(listed.into_iter().map(volume).filter(|found| found.part().is_empty()).collect())
    }

    async fn volume(&self, id: &str) -> Result<Option<Found>, DriverError> {
        let query = Query::new().filter("volume-id", [id]);
        let listed = self.all("DescribeVolumes", &query, "volumeSet").await?;
        Ok(listed.into_iter().map(volume).next())
    }

    pub(super) async fn make_disk(&self, target: &Target) -> Result<(), DriverError> {
        let query = self.disk_query(target).await?;
        for attempt in 0..MOST_ATTEMPTS {
            let query = query.clone().set("ClientToken", owner::token(&target.owner, attempt));
            let made = self.ec2("CreateVolume", &query).await?;
            // A token that was used for a volume which is gone brings that one back to sight, and makes none.
            if !["deleting", "deleted"].contains(&text(&made, "status")) {
                return Ok(());
            }
        }
        let what = format!("disk \"{}\" was made and removed again and again", target.name());
        Err(ErrorKind::Unknown.because(what))
    }

    /// How a disk is asked for.
    pub(super) async fn disk_query(&self, target: &Target) -> Result<Query, DriverError> {
        let Action::Disk { name, class, size_gib, zone } = &target.action else {
            unreachable!("only disks are made here")
        };
        let zone = match zone {
            Some(zone) => zone.clone(),
            None => self.usual_zone().await?,
        };
        Ok(Query::new()
            .set("AvailabilityZone", zone)
            .set("Size", size_gib.0.to_string())
            .set("VolumeType", class.as_deref().unwrap_or(USUAL_CLASS))
            .tagged("volume", &owner::tags(&target.owner, name, &[])))
    }

    pub(super) fn disk_differences(target: &Target, found: &Found) -> Vec<String> {
        let Action::Disk { class, size_gib, zone, .. } = &target.action else { return Vec::new() };
        let is = whole(&found.info, "size").unwrap_or_default();
        let of_size = (is != size_gib.0).then(|| format!("size is {is} GiB instead of {}", size_gib.0));
        let differs = |what: &str, path: &str, wanted: &Option<String>| {
            let is = text(&found.info, path).to_owned();
            let wanted = wanted.as_ref().filter(|wanted| **wanted != is)?;
            Some(format!("{what} is {is} instead of {wanted}"))
        };
        let (of_class, in_zone) =
            (differs("class", "volumeType", class), differs("zone", "availabilityZone", zone));
        [of_size, of_class, in_zone].into_iter().flatten().collect()
    }

    pub(super) async fn clear_disk(&self, found: &Found) -> Result<(), DriverError> {
        if let Some(plug) = plug(found) {
            let what = format!("disk \"{}\" is attached to machine {}", found.name, text(plug, "instanceId"));
            return Err(ErrorKind::Conflict.because(what));
        }
        self.gone("DeleteVolume", "VolumeId", &found.id).await?;
        let mut patience = Patience::with(format!("disk \"{}\"", found.name));
        while self.volume(&found.id).await?.is_some_and(|left| text(&left.info, "status") != "deleted") {
            patience.wait().await?;
        }
        Ok(())
    }

    /// Attachments: of the volume of a target, or of all volumes that say so.
    pub(super) async fn attachments(&self, target: Option<&Target>) -> Result<Vec<Found>, DriverError> {
        let Some(target) = target else {
            let query = Query::new().filter("tag-key", [format!("{ATTACHMENT}key").as_str()]);
            let listed = self.all("DescribeVolumes", &query, "volumeSet").await?;
            return Ok(listed.into_iter().map(volume).filter_map(|found| attachment(&found, None)).collect());
        };
        let Action::Attachment { disk, machine, .. } = &target.action else { return Ok(Vec::new()) };
        let Some(volume) = self.standing(target, Kind::Disk, disk).await? else { return Ok(Vec::new()) };
        let Some(mut found) = attachment(&volume, Some(target)) else { return Ok(Vec::new()) };
        let machine_id = self.standing(target, Kind::Machine, machine).await?.map(|machine| machine.id);
        if machine_id.as_deref() != found.more.get("machine").map(String::as_str) {
            found.more.insert("elsewhere".to_owned(), format!("the disk is not attached to {machine}"));
        }
        Ok(vec![found])
    }

    pub(super) async fn attach(&self, target: &Target, disk: &str, machine: &str) -> Result<(), DriverError> {
        let volume = self.needed(target, Kind::Disk, disk).await?;
        let instance = self.needed(target, Kind::Machine, machine).await?;
        let (of_disk, of_machine) =
            (text(&volume.info, "availabilityZone"), text(&instance.info, "placement/availabilityZone"));
        if of_disk != of_machine {
            let what =
                format!("disk \"{disk}\" is in zone {of_disk}, and machine \"{machine}\" in {of_machine}");
            return Err(ErrorKind::Invalid.because(what));
        }
        let values = [
            target.name(),
            target.owner.run.as_str(),
            target.owner.step.as_str(),
            target.owner.key.0.as_str(),
        ];
        let tags: Vec<(String, String)> = PARTS
            .iter()
            .zip(values)
            .map(|(part, value)| (format!("{ATTACHMENT}{part}"), value.to_owned()))
            .collect();
        self.ec2("CreateTags", &Query::new().set("ResourceId.1", &volume.id).pairs("Tag", &tags)).await?;
        let used: BTreeSet<&str> =
            rows(&instance.info, "blockDeviceMapping").map(|disk| text(disk, "deviceName")).collect();
        // What AWS recommends for data disks; the machine's system names them in its own way.
        let free = ('f'..='p').map(|letter| format!("/dev/sd{letter}"));
        for device in free.filter(|device| !used.contains(device.as_str())) {
            let query = Query::new()
                .set("VolumeId", &volume.id)
                .set("InstanceId", &instance.id)
                .set("Device", &device);
            match self.ec2("AttachVolume", &query).await {
                // Another disk of the same machine was faster.
                Err(error)
                    if error.kind == ErrorKind::Invalid && error.message.contains("already in use") => {}
                result => return result.map(drop),
            }
        }
        let what = format!("machine \"{machine}\" has no room for another disk: eleven are attached to it");
        Err(ErrorKind::Quota.because(what))
    }

    pub(super) async fn clear_attachment(&self, found: &Found) -> Result<(), DriverError> {
        let id = found.more.get("volume").map_or("", String::as_str);
        if !found.leaving {
            let machine = found.more.get("machine").map_or("", String::as_str);
            let query = Query::new().set("VolumeId", id).set("InstanceId", machine);
            match self.ec2("DetachVolume", &query).await {
                Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut patience = Patience::with(format!("the attachment \"{}\"", found.name));
        while self.volume(id).await?.as_ref().and_then(plug).is_some() {
            patience.wait().await?;
        }
        let keys = PARTS.map(|part| format!("{ATTACHMENT}{part}"));
        self.untag(id, &keys.each_ref().map(String::as_str)).await
    }
}

/// The attachment of a volume; `None` when it is not attached, or not by Carafe and nobody asks for it.
fn attachment(volume: &Found, target: Option<&Target>) -> Option<Found> {
    let plug = plug(volume)?;
    let get = |part: &str| volume.more.get(&format!("{ATTACHMENT}{part}")).map(String::as_str);
    let name = target.map(Target::name).or(get("name"))?.to_owned();
    let owner =
        get("run").zip(get("key")).filter(|_| get("name") == Some(&name)).map(|(run, key)| Ownership {
            run: run.into(),
            step: get("step").unwrap_or_default().into(),
            key: IdempotencyKey(key.to_owned()),
        });
    let (machine, state) = (text(plug, "instanceId"), text(plug, "status"));
    let more = [("volume", volume.id.as_str()), ("machine", machine)];
    let more = more.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Some(Found {
        id: format!("{}@{machine}", volume.id),
        status: if state == "attaching" { Status::Creating } else { Status::Ready },
        leaving: state == "detaching",
        created: text(plug, "attachTime").to_owned(),
        ..Found::marked(Element::default(), Marks { name, owner, more })
    })
}
