//! One region of one account, and how its services are asked.

use std::collections::BTreeMap;
use std::time::Duration;

use carafe_inventory::xml::Element;

use super::Aws;
use super::client::{EC2, Query};
use super::owner::{self, Marks, NAME};
use super::xml::text;
use crate::drivers::{DriverError, ErrorKind, Kind, Ownership, Status, Target};

/// How often something that is being removed is looked at: more and more seldom.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_secs(10);
/// How long something may take that one call waits for; the executor's own deadlines are longer.
const LONGEST: Duration = Duration::from_secs(25 * 60);

/// Something that was read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What AWS calls it.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// Whose it is.
    pub(super) owner: Option<Ownership>,
    /// All of its tags, and what else is worth remembering.
    pub(super) more: BTreeMap<String, String>,
    /// Whether it can be used.
    pub(super) status: Status,
    /// Whether all parts of it are there.
    pub(super) complete: bool,
    /// Whether it is being removed.
    pub(super) leaving: bool,
    /// When it was made, so that a later text is a later moment; empty when AWS does not say.
    pub(super) created: String,
    /// What the service says about it; empty where it speaks JSON.
    pub(super) info: Element,
}

impl Found {
    /// What EC2 says about something; `id` is its word for the identifier.
    pub(super) fn of(info: Element, id: &str) -> Found {
        let marks = owner::of_element(&info, "tagSet");
        Found { id: text(&info, id).to_owned(), ..Found::marked(info, marks) }
    }

    /// What a service says about something, with marks from elsewhere.
    pub(super) fn marked(info: Element, marks: Marks) -> Found {
        Found {
            id: String::new(),
            name: marks.name,
            owner: marks.owner,
            more: marks.more,
            status: Status::Ready,
            complete: true,
            leaving: false,
            created: String::new(),
            info,
        }
    }

    /// Whether it was made for the same step of the same plan.
    pub(super) fn is_for(&self, owner: &Ownership) -> bool {
        self.owner.as_ref().is_some_and(|found| found.key == owner.key)
    }

    /// Of what kind it is a part; empty when it is whole.
    pub(super) fn part(&self) -> &str {
        self.more.get(owner::PART).map_or("", String::as_str)
    }
}

/// A region.
pub(super) struct Site<'a> {
    pub(super) cloud: &'a Aws,
    /// As AWS calls it.
    pub(super) region: String,
}

/// What EC2 is asked to list: what bears a name, or all that says whose it is.
pub(super) fn named(name: Option<&str>) -> Query {
    match name {
        Some(name) => Query::new().filter(&format!("tag:{NAME}"), [name]),
        None => Query::new().filter("tag-key", [Ownership::TAG_KEY]),
    }
}

impl Site<'_> {
    /// Lists something of EC2.
    pub(super) async fn all(
        &self,
        action: &str,
        query: &Query,
        list: &str,
    ) -> Result<Vec<Element>, DriverError> {
        self.cloud.client.all(&self.region, action, query, list).await
    }

    /// Calls EC2.
    pub(super) async fn ec2(&self, action: &str, query: &Query) -> Result<Element, DriverError> {
        self.cloud.client.call(&self.region, EC2, action, query).await
    }

    /// Removes something of EC2; what is gone already counts as removed.
    pub(super) async fn gone(&self, action: &str, id: &str, value: &str) -> Result<(), DriverError> {
        match self.ec2(action, &Query::new().set(id, value)).await {
            Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes back a part when the rest was refused, so that a refusal leaves nothing. Says what is to be said.
    pub(super) async fn take_back(
        &self,
        (action, id, value): (&str, &str, &str),
        refusal: DriverError,
    ) -> DriverError {
        if refusal.kind == ErrorKind::Unknown {
            return refusal;
        }
        match self.gone(action, id, value).await {
            Ok(()) => refusal,
            Err(error) => ErrorKind::Unknown.because(format!("{refusal}, and then: {error}")),
        }
    }

    /// What is there under the name of something that a target stands on: of the same run first, then of any run, then of
    /// a person.
    pub(super) async fn needed(&self, target: &Target, kind: Kind, name: &str) -> Result<Found, DriverError> {
        let found = self.standing(target, kind, name).await?;
        found.ok_or_else(|| {
            ErrorKind::NotFound.because(format!(
                "{} \"{}\" needs {} \"{name}\", which does not exist in {}",
                target.kind.words(),
                target.name(),
                kind.words(),
                self.region
            ))
        })
    }

    /// The same, when it may not be there.
    pub(super) async fn standing(
        &self,
        target: &Target,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Found>, DriverError> {
        let all = Box::pin(self.candidates(kind, Some(name), None)).await?;
        let usable = all.into_iter().filter(|found| found.part().is_empty() && !found.leaving);
        Ok(usable.max_by_key(|found| {
            let run = found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run);
            (run, found.owner.is_some(), std::cmp::Reverse((found.created.clone(), found.id.clone())))
        }))
    }
}

/// Waits between looks at something that takes time, and not without end.
pub(super) struct Patience {
    what: String,
    next: Duration,
    spent: Duration,
}

impl Patience {
    /// For what, in words.
    pub(super) fn with(what: String) -> Patience {
        Patience { what, next: FIRST_LOOK, spent: Duration::ZERO }
    }

    /// Waits for the next look.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] when it took too long.
    pub(super) async fn wait(&mut self) -> Result<(), DriverError> {
        if self.spent >= LONGEST {
            let what = format!("{} is still not done after {} minutes", self.what, LONGEST.as_secs() / 60);
            return Err(ErrorKind::Unknown.because(what));
        }
        tokio::time::sleep(self.next).await;
        self.spent += self.next;
        self.next = (self.next * 3 / 2).min(SELDOM);
        Ok(())
    }
}
