//! Public addresses of machines: elastic addresses, each with its association.

use carafe_model::steps::Action;

use super::client::Query;
use super::owner;
use super::site::{Found, Site, named};
use super::xml::text;
use crate::drivers::{DriverError, ErrorKind, Kind, Target};

impl Site<'_> {
    pub(super) async fn addresses(&self, name: Option<&str>) -> Result<Vec<Found>, DriverError> {
        let listed = self.all("DescribeAddresses", &named(name), "addressesSet").await?;
        let found = listed.into_iter().map(|info| {
            let found = Found::of(info, "allocationId");
            Found { complete: !text(&found.info, "associationId").is_empty(), ..found }
        });
        Ok(found.collect())
    }

    pub(super) async fn make_address(&self, target: &Target, machine: &str) -> Result<(), DriverError> {
        self.needed(target, Kind::Machine, machine).await?;
        let made = self.ec2("AllocateAddress", &Site::address_query(target)).await?;
        let id = text(&made, "allocationId").to_owned();
        match self.give_address(target, &id).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.take_back(("ReleaseAddress", "AllocationId", &id), refusal).await),
        }
    }

    /// How an address is asked for.
    pub(super) fn address_query(target: &Target) -> Query {
        Query::new()
            .set("Domain", "vpc")
            .tagged("elastic-ip", &owner::tags(&target.owner, target.name(), &[]))
    }

    /// Gives an address to its machine.
    pub(super) async fn give_address(&self, target: &Target, id: &str) -> Result<(), DriverError> {
        let Action::PublicAddress { machine, .. } = &target.action else {
            unreachable!("only addresses are given here")
        };
        let machine = self.needed(target, Kind::Machine, machine).await?;
        let query = Query::new()
            .set("AllocationId", id)
            .set("InstanceId", &machine.id)
            .set("AllowReassociation", "false");
        self.ec2("AssociateAddress", &query).await.map(drop)
    }

    pub(super) async fn address_differences(
        &self,
        target: &Target,
        found: &Found,
    ) -> Result<Vec<String>, DriverError> {
        let Action::PublicAddress { machine, .. } = &target.action else { return Ok(Vec::new()) };
        let Some(instance) = self.standing(target, Kind::Machine, machine).await? else {
            return Ok(vec![format!("machine {machine} is not there")]);
        };
        let is_its = text(&found.info, "instanceId") == instance.id;
        Ok(if is_its { Vec::new() } else { vec![format!("it is not the address of {machine}")] })
    }

    pub(super) async fn clear_address(&self, found: &Found) -> Result<(), DriverError> {
        let association = text(&found.info, "associationId");
        if !association.is_empty() {
            let query = Query::new().set("AssociationId", association);
            match self.ec2("DisassociateAddress", &query).await {
                Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.gone("ReleaseAddress", "AllocationId", &found.id).await
    }
}
