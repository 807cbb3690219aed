//! Blocks of IPv4 addresses, as far as a cloud's rules about subnets need them.

use std::net::Ipv4Addr;

/// A block such as `10.0.0.0/16`; its first address has no bit below the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    first: u32,
    last: u32,
}

impl Cidr {
    /// Reads a block; `None` when it is not one or its address is not the first of it.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, prefix) = text.split_once('/')?;
        let first = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let prefix = prefix.parse::<u32>().ok().filter(|prefix| *prefix <= 32)?;
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
        (first & hosts == 0).then_some(Cidr { first, last: first | hosts })
    }

    /// Whether every address of `other` is in this block.
    pub fn contains(self, other: Cidr) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether any address is in both.
    pub fn overlaps(self, other: Cidr) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_and_compared() {
        let cidr = |text| Cidr::parse(text).expect("a good block");
        assert!(cidr("10.0.0.0/8").contains(cidr("10.255.255.255/32")));
        assert!(cidr("0.0.0.0/0").contains(cidr("10.0.0.0/8")));
        assert!(!cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24")));
        assert!(cidr("10.0.1.0/24").overlaps(cidr("10.0.0.0/16")));
        for text in ["10.0.0.1/24", "10.0.0.0/33", "10.0.0.0", "::/0", "", "10.0.0/8", "10.0.0.0/-1"] {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }
}
