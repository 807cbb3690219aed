//! Typed `u32` indices and the vector that takes only its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The place of a `T` in an [`IdxVec<T>`].
pub struct Idx<T> {
    raw: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Idx<T> {
    /// Wraps a raw place.
    pub const fn new(raw: u32) -> Idx<T> {
        Idx { raw, of: PhantomData }
    }

    /// Wraps a place counted in `usize`.
    ///
    /// # Panics
    /// If it does not fit a `u32`; no collection here has four billion entries.
    pub fn from_usize(place: usize) -> Idx<T> {
        Idx::new(u32::try_from(place).expect("fewer than 2^32 entries"))
    }

    /// The raw place.
    pub const fn raw(self) -> u32 {
        self.raw
    }

    /// The place as `usize`, for slices.
    pub const fn usize(self) -> usize {
        self.raw as usize
    }
}

impl<T> Clone for Idx<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Idx<T> {}
impl<T> PartialEq for Idx<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<T> Eq for Idx<T> {}
impl<T> PartialOrd for Idx<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Idx<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<T> Hash for Idx<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<T> fmt::Debug for Idx<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.raw)
    }
}
impl<T> Serialize for Idx<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Idx<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Idx::new)
    }
}

/// A vector indexed by [`Idx<T>`] only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdxVec<T>(Vec<T>);

impl<T> Default for IdxVec<T> {
    fn default() -> Self {
        IdxVec(Vec::new())
    }
}

impl<T> IdxVec<T> {
    /// Appends and tells where.
    pub fn push(&mut self, item: T) -> Idx<T> {
        let place = Idx::from_usize(self.0.len());
        self.0.push(item);
        place
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The item at a place, if the place exists.
    pub fn get(&self, place: Idx<T>) -> Option<&T> {
        self.0.get(place.usize())
    }

    /// The items in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The items in order, each with its place.
    pub fn iter_enumerated(&self) -> impl ExactSizeIterator<Item = (Idx<T>, &T)> {
        self.0.iter().enumerate().map(|(place, item)| (Idx::from_usize(place), item))
    }

    /// All places in order.
    pub fn indices(&self) -> impl ExactSizeIterator<Item = Idx<T>> + use<T> {
        (0..self.0.len()).map(Idx::from_usize)
    }
}

impl<T> From<Vec<T>> for IdxVec<T> {
    fn from(items: Vec<T>) -> Self {
        IdxVec(items)
    }
}

impl<T> Index<Idx<T>> for IdxVec<T> {
    type Output = T;
    fn index(&self, place: Idx<T>) -> &T {
        &self.0[place.usize()]
    }
}

impl<T> IndexMut<Idx<T>> for IdxVec<T> {
    fn index_mut(&mut self, place: Idx<T>) -> &mut T {
        &mut self.0[place.usize()]
    }
}
