//! Where prices come from, each told once.

use std::collections::BTreeMap;

use carafe_model::catalog::{PriceSource, Snapshot};
use carafe_model::idx::Idx;

/// Sources in order of discovery; [`Sources::settle`] sorts them once everything is read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    list: Vec<PriceSource>,
    by_name: BTreeMap<String, BTreeMap<(String, String), u32>>,
    /// The place of the previous row's source: rows of one source stand together.
    last: usize,
}

impl Sources {
    /// The place of a source, new or known.
    pub fn intern(&mut self, name: &str, as_of: &str, quality: String) -> Idx<PriceSource> {
        let same =
            |source: &PriceSource| source.name == name && source.as_of == as_of && source.quality == quality;
        if self.list.get(self.last).is_some_and(same) {
            return Idx::from_usize(self.last);
        }
        let next = Idx::<PriceSource>::from_usize(self.list.len()).raw();
        let key = (as_of.to_owned(), quality);
        let of_name = match self.by_name.get_mut(name) {
            Some(of_name) => of_name,
            None => self.by_name.entry(name.to_owned()).or_default(),
        };
        let place = *of_name.entry(key.clone()).or_insert(next);
        if place == next {
            self.list.push(PriceSource { name: name.to_owned(), as_of: key.0, quality: key.1 });
        }
        self.last = place as usize;
        Idx::new(place)
    }

    /// The source that was named last, and its place.
    pub fn last(&self) -> Option<(Idx<PriceSource>, &PriceSource)> {
        self.list.get(self.last).map(|source| (Idx::from_usize(self.last), source))
    }

    /// The date of a source.
    pub fn as_of(&self, source: Idx<PriceSource>) -> &str {
        &self.list[source.usize()].as_of
    }

    /// The name of a source.
    pub fn name(&self, source: Idx<PriceSource>) -> &str {
        &self.list[source.usize()].name
    }

    /// Keeps the sources that a price points at, sorted, and moves every pointer to their new places.
    pub fn settle(self, snapshot: &mut Snapshot) {
        let mut used = vec![false; self.list.len()];
        for_each_pointer(snapshot, |source| used[source.usize()] = true);
        let mut kept: Vec<usize> = (0..self.list.len()).filter(|place| used[*place]).collect();
        kept.sort_by(|a, b| self.list[*a].cmp(&self.list[*b]));
        let mut moved = vec![Idx::new(0); self.list.len()];
        for (new, old) in kept.iter().enumerate() {
            moved[*old] = Idx::from_usize(new);
        }
        for_each_pointer(snapshot, |source| *source = moved[source.usize()]);
        let mut list: Vec<Option<PriceSource>> = self.list.into_iter().map(Some).collect();
        let take = |place: usize| list[place].take().expect("each place is kept once");
        snapshot.sources = kept.into_iter().map(take).collect::<Vec<_>>().into();
    }
}

/// Visits every pointer at a source that means something.
fn for_each_pointer(snapshot: &mut Snapshot, mut visit: impl FnMut(&mut Idx<PriceSource>)) {
    let offers = &mut snapshot.offers;
    offers.source.iter_mut().for_each(&mut visit);
    for (source, rate) in offers.windows_source.iter_mut().zip(&offers.windows) {
        if rate.0 > 0 {
            visit(source);
        }
    }
    snapshot.disks.iter_mut().for_each(|price| visit(&mut price.source));
    snapshot.transfers.iter_mut().for_each(|price| visit(&mut price.source));
    snapshot.services.iter_mut().for_each(|price| visit(&mut price.source));
    snapshot.licences.iter_mut().for_each(|price| visit(&mut price.source));
    snapshot.unit_prices.iter_mut().for_each(|price| visit(&mut price.source));
}
