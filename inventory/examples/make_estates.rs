//! Writes estates of random sizes and traffic, for measuring batches. The same numbers give the same files.
//!
//! ```text
//! cargo run --release -p carafe-inventory --example make_estates -- FOLDER COUNT HOSTS
//! ```

#![expect(clippy::print_stderr, reason = "this is a program for people, not part of the library")]
#![expect(clippy::disallowed_methods, reason = "it writes files so that the library need not")]

use std::error::Error;
use std::path::PathBuf;

use carafe_model::document::Document;
use carafe_model::estate::{Endpoint, Estate, Flow};
use carafe_model::host::{Architecture, Disk, Host};
use carafe_model::units::{Gib, Mib, Quantity, Vcpus};

/// A sequence of numbers that look random (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % most
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count, hosts] = arguments.as_slice() else {
        eprintln!("usage: make_estates FOLDER COUNT HOSTS");
        return Err("three arguments are wanted".into());
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    for number in 0..count.parse::<u64>()? {
        let estate = estate(number, hosts.parse()?);
        std::fs::write(folder.join(format!("estate-{number:04}.json")), estate.to_json())?;
    }
    Ok(())
}

fn estate(number: u64, n_hosts: u64) -> Estate {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ (number + 1));
    let mut estate = Estate::empty(format!("estate {number}"));
    for place in 0..n_hosts {
        let mut host = Host::named(format!("host-{place:04}"));
        let vcpus = 1u32 << numbers.below(5);
        host.vcpus = Some(Vcpus(vcpus));
        host.memory_mib = Some(Mib::from_gib(u64::from(vcpus) * (1 << numbers.below(4))));
        host.architecture = Some(Architecture::X86_64);
        host.disks = vec![disk("sda", 30 + numbers.below(100)), disk("sdb", 10 + numbers.below(1_000))];
        estate.hosts.push(host);
    }
    for _ in 0..2 * n_hosts {
        let (from, to) = (numbers.below(n_hosts), numbers.below(n_hosts));
        let gib =
            |numbers: &mut Numbers| Quantity::from_units(i64::try_from(numbers.below(500)).unwrap_or(0));
        if from != to {
            let (gib_month, gib_month_back) = (gib(&mut numbers), gib(&mut numbers));
            estate.flows.push(Flow {
                from: Endpoint::Host(estate.hosts[from as usize].id.clone()),
                to: Endpoint::Host(estate.hosts[to as usize].id.clone()),
                protocol: None,
                port: None,
                gib_month,
                gib_month_back,
                max_rtt_ms: None,
            });
        }
    }
    estate
}

fn disk(name: &str, gib: u64) -> Disk {
    Disk { name: name.to_owned(), size_gib: Some(Gib(gib)), ..Disk::default() }
}
