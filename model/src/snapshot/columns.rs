//! Columns of offers as bytes of equal width: read in one go, without a decision for each number.
//!
//! A column is the smallest number in it, a step that divides every difference from it, the width of a cell in bytes, and
//! the cells: little-endian counts of steps above the smallest. Prices with six decimals thus need four bytes, and a column
//! of one value a byte a row: never less, so that a short file cannot claim many rows.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::idx::Idx;
use crate::units::Rate;

/// What a column holds.
pub(crate) trait Cell: Copy {
    /// The cell as a number.
    fn number(self) -> i64;
    /// The largest number that is such a cell.
    const LARGEST: i64;
    /// The cell of a number from zero to the largest.
    fn of(number: i64) -> Self;
}

impl Cell for Rate {
    const LARGEST: i64 = i64::MAX;

    fn number(self) -> i64 {
        self.0
    }

    fn of(number: i64) -> Rate {
        Rate(number)
    }
}

impl<T> Cell for Idx<T> {
    const LARGEST: i64 = u32::MAX as i64;

    fn number(self) -> i64 {
        i64::from(self.raw())
    }

    fn of(number: i64) -> Idx<T> {
        Idx::new(number as u32)
    }
}

/// Bytes as one value of the encoding.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Borrowed<'a> {
            type Value = Bytes<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Bytes<'a>, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_bytes(Borrowed(PhantomData))
    }
}

/// A column as it is written.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    smallest: i64,
    step: u64,
    width: u8,
    #[serde(borrow)]
    cells: Bytes<'a>,
}

pub(crate) fn serialize<T: Cell, S: Serializer>(column: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let numbers = || column.iter().map(|cell| cell.number());
    let smallest = numbers().min().unwrap_or(0);
    let above = |number: i64| number.wrapping_sub(smallest) as u64;
    let step = numbers().fold(0, |step, number| divisor(above(number), step)).max(1);
    let most = numbers().max().map_or(0, above) / step;
    let width = (8 - most.leading_zeros() as usize / 8).max(1);
    let mut cells = Vec::with_capacity(column.len() * width);
    for number in numbers() {
        cells.extend_from_slice(&(above(number) / step).to_le_bytes()[..width]);
    }
    Packed { smallest, step, width: width as u8, cells: Bytes(&cells) }.serialize(serializer)
}

/// The largest number that divides both; `known` is returned at once where it already divides the other.
fn divisor(number: u64, known: u64) -> u64 {
    let (mut larger, mut smaller) = (number, known);
    while smaller != 0 {
        (larger, smaller) = (smaller, larger % smaller);
    }
    larger
}

pub(crate) fn deserialize<'de, T: Cell, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let packed = Packed::deserialize(deserializer)?;
    let read = match packed.width {
        1 => unpack::<T, 1>(&packed),
        2 => unpack::<T, 2>(&packed),
        3 => unpack::<T, 3>(&packed),
        4 => unpack::<T, 4>(&packed),
        5 => unpack::<T, 5>(&packed),
        6 => unpack::<T, 6>(&packed),
        7 => unpack::<T, 7>(&packed),
        8 => unpack::<T, 8>(&packed),
        _ => None,
    };
    read.ok_or_else(|| D::Error::custom("a column that nothing can have written"))
}

fn unpack<T: Cell, const WIDTH: usize>(packed: &Packed<'_>) -> Option<Vec<T>> {
    let (cells, rest) = packed.cells.0.as_chunks::<WIDTH>();
    let wide = |cell: &[u8; WIDTH]| {
        let mut bytes = [0; 8];
        bytes[..WIDTH].copy_from_slice(cell);
        u64::from_le_bytes(bytes)
    };
    // Checked for the largest, so that no other can leave the range either.
    let most = i128::from(cells.iter().map(wide).max().unwrap_or(0)) * i128::from(packed.step);
    let largest = i128::from(packed.smallest) + most;
    if !rest.is_empty() || packed.smallest < 0 || largest > i128::from(T::LARGEST) {
        return None;
    }
    Some(cells.iter().map(|cell| T::of(packed.smallest + (wide(cell) * packed.step) as i64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Column(#[serde(with = "super")] Vec<Rate>);

    #[test]
    fn every_column_is_read_as_it_was_written() {
        for numbers in [
            vec![],
            vec![0],
            vec![7; 300],
            vec![0, i64::MAX],
            vec![41_600_000, 96_000_000, 0, 118_000_000],
            vec![1_000_000_007, 1_000_000_007 + 255 * 3, 1_000_000_007 + 256 * 3],
        ] {
            let column = Column(numbers.into_iter().map(Rate).collect());
            let bytes = postcard::to_stdvec(&column).expect("memory");
            assert_eq!(postcard::from_bytes::<Column>(&bytes), Ok(column));
        }
    }

    #[test]
    fn a_cell_is_as_wide_as_the_steps_need() {
        let column = Column((0..1000).map(|number| Rate(40_000_000 + number * 1_000_000)).collect());
        let bytes = postcard::to_stdvec(&column).expect("memory");
        assert!((2000..2030).contains(&bytes.len()), "{}", bytes.len());
    }

    #[test]
    fn columns_that_nothing_wrote_are_refused() {
        let read = |smallest, step, width, cells: &[u8]| {
            let bytes =
                postcard::to_stdvec(&Packed { smallest, step, width, cells: Bytes(cells) }).expect("memory");
            postcard::from_bytes::<Column>(&bytes).is_ok()
        };
        assert!(read(0, 1, 2, &[1, 2, 3, 4]));
        assert!(!read(0, 1, 2, &[1, 2, 3]), "half a cell");
        assert!(!read(0, 1, 0, &[]) && !read(0, 1, 9, &[0; 9]), "a width of nothing, or of too much");
        assert!(!read(-1, 1, 1, &[0]), "below zero");
        assert!(!read(0, u64::MAX, 1, &[2]) && !read(i64::MAX, 1, 1, &[1]), "beyond the range");
    }
}
