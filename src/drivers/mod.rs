//! What speaks to clouds: one trait, one list of drivers, one way to name what went wrong.
//!
//! A driver knows nothing of plans, journals or waves. It is told what shall exist ([`Target`]) and says what it found or
//! did; whoever calls it decides what that means. Read [`Driver`] first, then [`fake`], the driver that needs no cloud.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::Action;

pub mod resource;

pub mod error;

pub mod matrix;

pub mod rest;

pub mod images;

pub mod cidr;

pub mod connections;

pub mod secret;

pub mod aws;

pub mod fake;

pub mod openstack;

pub mod spider;

pub use error::{DriverError, ErrorKind};
pub use resource::{
    Ability, Access, Capabilities, IdempotencyKey, Kind, Observed, Outcome, Ownership, Quota, Removal,
    Resource, Sale, Status, Target,
};

use crate::run_id::RunId;
use connections::{Setting, Settings};

/// What a driver answers, later. Boxed, because the executor holds drivers of many kinds in one table.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, DriverError>> + Send + 'a>>;

/// One kind of cloud API.
///
/// **Idempotency.** `ensure` and `remove` may be called again with the same [`Target`] at any time, also after a lost
/// reply and at the same time as a first call: a resource that carries the target's [`IdempotencyKey`] is never made twice,
/// and one that does not carry it is never removed.
///
/// **Certainty.** Every error but [`ErrorKind::Unknown`] promises that the call changed nothing. A driver that cannot
/// promise it (a broken connection, a time-out, a 5xx after the request was sent) says `Unknown`. [`rest`] keeps the two
/// apart for every driver that speaks HTTP.
///
/// **Deadlines.** No call waits without end: each request of a driver has a deadline of its own, and whoever calls the
/// driver has another (`executor::conduct::deadline`). Dropping a call cancels it at its next wait; what it had sent by
/// then may have taken effect, so to the caller a dropped `ensure` or `remove` is `Unknown`.
///
/// **Secrets.** No message of a driver holds a credential: messages reach journals, reports and logs.
pub trait Driver: Send + Sync {
    /// What it can make, and what it can only take over from a person, as far as its settings tell. Asks nobody.
    fn capabilities(&self) -> &Capabilities;

    /// Reads who the account is and where it may work: proof that the endpoint answers and the credentials are accepted.
    fn access(&self) -> Reply<'_, Access>;

    /// Makes the resource exist and tags it with the owner of the target.
    ///
    /// - Nothing of that name: it is made ([`Outcome::Made`]).
    /// - One with the same key: nothing is changed; [`Outcome::AlreadyThere`] when the same run made it,
    ///   [`Outcome::Adopted`] when another run did.
    /// - One without an owner, where the kind is [`Ability::Adopts`]: taken as it is ([`Outcome::Adopted`]).
    /// - Any other of that name, or one with the same key and other settings: [`ErrorKind::Conflict`].
    ///
    /// A resource may come back as [`Status::Creating`]; the caller observes it until it is ready.
    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome>;

    /// Reads what exists under the target's name, whoever owns it; `None` when nothing does. Changes nothing.
    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>>;

    /// Removes the resource if it carries the target's key and run; anything else of that name is left.
    ///
    /// [`ErrorKind::Conflict`] while something else stands on it.
    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal>;

    /// Lists everything in a region that carries an owner, or only what `run` owns, sorted by kind and name.
    fn list<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>>;

    /// Says everything that `ensure` would refuse about a target, as far as reading can tell. Changes nothing.
    ///
    /// What the target stands on need not exist yet: the same plan may be about to make it.
    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>>;

    /// How many of each kind a region lets the account have; kinds whose limit cannot be read are absent.
    fn quotas<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<Kind, Quota>>;

    /// Why a region cannot take all of these together although it may take each of them: limits that several kinds or
    /// their sizes share, such as vCPUs, gigabytes or ports, which [`Driver::quotas`] has no kind for.
    ///
    /// Empty where a cloud has no such limit, or none that can be read, which is what a driver says that does not
    /// implement it.
    fn shortages<'a>(
        &'a self,
        _provider: &'a ProviderName,
        _region: &'a RegionName,
        _wanted: &'a [Action],
    ) -> Reply<'a, Vec<DriverError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Which of these instance types a region sells just now, and for how much; what is not sold is absent.
    fn sales<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>>;

    /// How many machines the account's licences for an operating system allow in a region; systems that need none, or
    /// whose licences cannot be read, are absent.
    fn licences<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>>;

    /// Removes what [`Driver::list`] found, if it still carries the same owner; for what no plan describes any more.
    ///
    /// [`ErrorKind::Conflict`] while something else stands on it.
    fn discard<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        resource: &'a Resource,
    ) -> Reply<'a, Removal>;
}

/// A driver that `connections.toml` can name.
pub struct DriverEntry {
    /// The name in `connections.toml`.
    pub name: &'static str,
    /// What it speaks to, in a line.
    pub summary: &'static str,
    /// The settings a connection may give it, beyond those every connection has.
    pub settings: &'static [Setting],
    /// Which clouds it serves and what of it was seen working there; docs/drivers.md shows it.
    pub support: &'static [matrix::Support],
    /// Opens it with the settings of one connection, already checked against `settings`.
    pub open: fn(&Settings) -> Result<Arc<dyn Driver>, DriverError>,
}

/// Every driver, in the order of help texts.
pub const DRIVERS: &[DriverEntry] = &[aws::ENTRY, fake::ENTRY, openstack::ENTRY, spider::ENTRY];

/// The driver of a name.
pub fn entry(name: &str) -> Option<&'static DriverEntry> {
    DRIVERS.iter().find(|entry| entry.name == name)
}
