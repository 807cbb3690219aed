//! Cinder's volumes, and their attachment to machines by Nova.
//!
//! An attachment bears nothing of its own, so the volume's metadata says whose it is. It is written before the volume is
//! attached: an attachment without it would be nobody's.

use carafe_model::steps::Action;
use serde_json::{Value, json};

use super::json::{rows, text, whole};
use super::owner;
use super::site::{Found, Patience, Service, Site};
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

/// What the metadata of a volume calls its attachment.
const ATTACHMENT: &str = "carafe-attachment";

fn attachment_words(target: &Target) -> String {
    owner::words(&target.owner, &[("name", target.name())])
}

fn volume(info: Value) -> Found {
    let marks = owner::of_metadata(&info["metadata"]);
    let status = match text(&info, "status") {
        "creating" | "downloading" | "uploading" | "extending" => Status::Creating,
        status if status.starts_with("error") => {
            Status::Broken(format!("Cinder says that it is in {status}"))
        }
        _ => Status::Ready,
    };
    let leaving = text(&info, "status") == "deleting";
    Found { status, leaving, ..Found::marked(info.clone(), marks) }
}

impl Site<'_> {
    pub(super) async fn volumes(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        if !self.has(Service::Volume).await? {
            return Ok(Vec::new());
        }
        let query: Vec<(&str, &str)> = name.map(|name| ("name", name)).into_iter().collect();
        let listed = self.all(Service::Volume, &["volumes", "detail"], &query, "volumes").await?;
        Ok(listed
            .into_iter()
            .map(volume)
            .filter(|found| name.is_none_or(|name| found.name == name))
            .collect())
    }

    pub(super) async fn make_disk(
        &self,
        target: &Target,
        class: Option<&str>,
        size: u64,
    ) -> Result<(), DriverError> {
        let mut body = json!({
            "name": target.name(), "size": size, "metadata": owner::metadata(&target.owner),
        });
        if let Some(class) = class {
            body["volume_type"] = class.into();
        }
        self.post(Service::Volume, &["volumes"], &json!({"volume": body})).await.map(drop)
    }

    pub(super) fn disk_differences(found: &Found, class: Option<&str>, size: u64) -> Vec<String> {
        let is = whole(&found.info, "size").unwrap_or_default();
        let of_size = (is != size).then(|| format!("size is {is} GiB instead of {size}"));
        let is = text(&found.info, "volume_type");
        let of_class =
            class.filter(|class| *class != is).map(|class| format!("class is {is} instead of {class}"));
        of_size.into_iter().chain(of_class).collect()
    }

    pub(super) async fn clear_disk(&self, found: &Found) -> Result<(), DriverError> {
        if rows(&found.info, "attachments").next().is_some() {
            let what = format!("disk \"{}\" is attached to a machine", found.name);
            return Err(ErrorKind::Conflict.because(what));
        }
        self.delete(Service::Volume, &["volumes", &found.id]).await?;
        let what = format!("disk \"{}\"", found.name);
        let mut patience = Patience::with(what.clone());
        while let Some(now) = self.look(Service::Volume, &["volumes", &found.id]).await? {
            if text(&now, "volume/status") == "error_deleting" {
                return Err(
                    ErrorKind::Unknown.because(format!("Cinder could not remove {what}, and tells no more"))
                );
            }
            patience.wait().await?;
        }
        Ok(())
    }

    /// Attachments: of the volume of a target, or of all volumes that say so.
    pub(super) async fn attachments(&self, target: Option<&Target>) -> Result<Vec<Found>, DriverError> {
        let Some(target) = target else {
            let volumes = self.volumes(None).await?;
            return Ok(volumes.iter().filter_map(|volume| attachment(volume, None)).collect());
        };
        let Action::Attachment { disk, machine, .. } = &target.action else { return Ok(Vec::new()) };
        let Some(volume) = self.standing(target, Kind::Disk, disk).await? else { return Ok(Vec::new()) };
        let Some(mut found) = attachment(&volume, Some(target)) else { return Ok(Vec::new()) };
        let machine_id = self.standing(target, Kind::Machine, machine).await?.map(|machine| machine.id);
        found.more.insert("elsewhere".to_owned(), {
            let elsewhere = machine_id.as_deref() != Some(text(&found.info, "server_id"));
            if elsewhere { format!("the disk is not attached to {machine}") } else { String::new() }
        });
        Ok(vec![found])
    }

    pub(super) async fn attach(&self, target: &Target, disk: &str, machine: &str) -> Result<(), DriverError> {
        let volume = self.needed(target, Kind::Disk, disk).await?;
        let server = self.needed(target, Kind::Machine, machine).await?;
        let metadata = json!({"metadata": {ATTACHMENT: attachment_words(target)}});
        self.post(Service::Volume, &["volumes", &volume.id, "metadata"], &metadata).await?;
        let body = json!({"volumeAttachment": {"volumeId": volume.id}});
        self.post(Service::Compute, &["servers", &server.id, "os-volume_attachments"], &body).await.map(drop)
    }

    pub(super) async fn clear_attachment(&self, found: &Found) -> Result<(), DriverError> {
        let (volume, server) = (text(&found.info, "volume_id"), text(&found.info, "server_id"));
        self.delete(Service::Compute, &["servers", server, "os-volume_attachments", volume]).await?;
        let mut patience = Patience::with(format!("the attachment \"{}\"", found.name));
        while let Some(now) = self.look(Service::Volume, &["volumes", volume]).await? {
            match text(&now, "volume/status") {
                "available" => break,
                status if status.starts_with("error") => {
                    let what = format!("Cinder says that the disk of \"{}\" is in {status}", found.name);
                    return Err(ErrorKind::Unknown.because(what));
                }
                _ => patience.wait().await?,
            }
        }
        self.delete(Service::Volume, &["volumes", volume, "metadata", ATTACHMENT]).await
    }
}

/// The attachment of a volume; `None` when it is not attached, or not by Carafe and nobody asks for it.
fn attachment(volume: &Found, target: Option<&Target>) -> Option<Found> {
    let marks = owner::of_words(volume.more.get(ATTACHMENT).map_or("", String::as_str));
    let status = text(&volume.info, "status");
    let server = rows(&volume.info, "attachments").map(|one| text(one, "server_id")).next();
    // Nova reserves a volume before it is attached, and Cinder then knows no server yet.
    let server = match (server, status) {
        (Some(server), _) => server,
        (None, "attaching" | "reserved") => "",
        (None, _) => return None,
    };
    let named = marks.more.get("name").cloned();
    let name = target.map(|target| target.name().to_owned()).or(named.clone())?;
    let owner: Option<Ownership> = marks.owner.filter(|_| named.as_deref() == Some(&name));
    Some(Found {
        id: format!("{}@{server}", volume.id),
        name,
        owner,
        more: marks.more,
        status: if ["attaching", "reserved"].contains(&status) { Status::Creating } else { Status::Ready },
        complete: true,
        leaving: status == "detaching",
        created: volume.created.clone(),
        info: json!({"volume_id": volume.id, "server_id": server}),
    })
}
