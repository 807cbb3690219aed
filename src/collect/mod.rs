//! Collection from live systems, without agents. A collector fetches what a system says of itself and keeps it as a
//! document; what it means is read by the inventory, in which everything is pure.

pub mod ssh;

/// Every code that collection can report, and what it means and what to do about it.
pub const CODES: &[(&str, &str)] = &[
    (
        "COL-1001",
        "A host could not be reached or refused to let us in. The message says what SSH said; try it by hand.",
    ),
    (
        "COL-1002",
        "A host did not come to an end in its time and was given up. Try it by hand, or raise --timeout.",
    ),
    ("COL-1003", "A host answered with more than is taken from one, and was given up. Try it by hand."),
    (
        "COL-1004",
        "The connection ended in the middle, or what came is not what the script writes. Try the host by hand.",
    ),
];
