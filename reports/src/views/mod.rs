//! What is said: view models, already rounded, ordered and put into words. How it is said is up to [`crate::render`].

pub mod answer;
pub mod audit;
pub mod bill;
pub mod costs;
pub mod findings;
pub mod months;
pub mod network;
pub mod placements;
pub mod proof;
pub mod road;
pub mod sensitivity;
pub mod tables;

use carafe_model::units::Money;

/// Adds amounts up without overflow, which only a plan written by hand can reach.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    Money(amounts.into_iter().fold(0, |total: i128, amount| total.saturating_add(amount.0)))
}

/// A difference without overflow.
pub(crate) fn difference(a: Money, b: Money) -> Money {
    Money(a.0.saturating_sub(b.0))
}

/// A part of a long list, shown or folded away as a whole.
#[derive(Clone, Debug)]
pub struct Block<T> {
    /// Place of its first item in the whole list, from 1.
    pub first: usize,
    /// Place of its last item in the whole list.
    pub last: usize,
    /// The items.
    pub items: Vec<T>,
}

/// Cuts a list into blocks of at most `size` items, so that a browser lays out only those that are looked at.
pub(crate) fn blocks<T>(items: Vec<T>, size: usize) -> Vec<Block<T>> {
    let mut blocks = Vec::with_capacity(items.len().div_ceil(size));
    let mut rest = items.into_iter();
    let mut first = 1;
    loop {
        let items: Vec<T> = rest.by_ref().take(size).collect();
        if items.is_empty() {
            return blocks;
        }
        let last = first + items.len() - 1;
        blocks.push(Block { first, last, items });
        first = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_every_item_once_and_say_which() {
        let cut = blocks((1..=250).collect(), 100);
        let places: Vec<_> = cut.iter().map(|b| (b.first, b.last, b.items.len())).collect();
        assert_eq!(places, [(1, 100, 100), (101, 200, 100), (201, 250, 50)]);
        assert!(blocks(Vec::<u8>::new(), 100).is_empty());
    }
}
