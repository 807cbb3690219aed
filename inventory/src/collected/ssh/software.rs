//! Services, data stores, containers, jobs and packages of a collected host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use carafe_model::inside::{Container, DataStore, Inside, Package, ScheduledProgram, Service};
use carafe_model::units::Mib;

use super::connections::ss_end;
use super::sections::Sections;
use crate::text::known;

/// Programs by the port that they listen on unless told otherwise: whom to believe where a process may not be seen.
const USUAL: &[(u16, &[&str])] = &[
    (21, &["vsftpd", "proftpd"]),
    (22, &["sshd"]),
    (25, &["master", "exim4", "sendmail"]),
    (53, &["named", "dnsmasq", "systemd-resolve", "unbound"]),
    (80, &["nginx", "apache2", "httpd", "haproxy", "caddy"]),
    (443, &["nginx", "apache2", "httpd", "haproxy", "caddy"]),
    (2379, &["etcd"]),
    (3306, &["mariadbd", "mysqld"]),
    (5432, &["postgres", "postmaster"]),
    (6379, &["redis-server", "valkey-server"]),
    (9092, &["java"]),
    (9100, &["node_exporter", "prometheus-node"]),
    (9200, &["java"]),
    (11211, &["memcached"]),
    (27017, &["mongod"]),
];

/// A running process.
struct Process<'t> {
    parent: u32,
    user: u32,
    kib: u64,
    name: &'t str,
}

/// Processes by number.
type Processes<'t> = BTreeMap<u32, Process<'t>>;

/// Fills in what runs on the host.
pub(super) fn read(inside: &mut Inside, sections: &Sections<'_>) {
    let processes = processes(sections);
    inside.services = services(sections, &processes);
    inside.data_stores = data_stores(sections, &processes, &inside.services);
    inside.containers = containers(sections);
    inside.units = first_words(sections, "units");
    inside.scheduled = scheduled(sections);
    for line in sections.lines("packages") {
        if let Some((name, version)) = line.split_once('\t') {
            inside.packages.push(Package { name: name.to_owned(), version: version.trim().to_owned() });
        }
    }
    inside.packages.sort();
    inside.packages.dedup();
}

fn processes<'t>(sections: &Sections<'t>) -> Processes<'t> {
    let mut processes = BTreeMap::new();
    for line in sections.lines("processes") {
        let mut words = line.splitn(5, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        let (pid, parent, user, kib) = (small(number()), small(number()), small(number()), number());
        if let (Some(pid), Some(parent), Some(user), Some(kib), Some(name)) =
            (pid, parent, user, kib, words.next().and_then(known))
        {
            processes.insert(pid, Process { parent, user, kib, name });
        }
    }
    processes
}

/// Ends that something listens on, with their protocol.
pub(super) fn listening<'a>(
    sections: &'a Sections<'_>,
) -> impl Iterator<Item = (&'static str, SocketAddr)> + 'a {
    sections
        .lines("listening")
        .iter()
        .filter_map(|line| socket(line).map(|(protocol, end, _)| (protocol, end)))
}

/// A line of `ss -tulnpe`: protocol, local end, and what stands behind the two ends.
fn socket(line: &str) -> Option<(&'static str, SocketAddr, Vec<&str>)> {
    let mut words = line.split_whitespace();
    let protocol = match words.next()? {
        "tcp" => "tcp",
        "udp" => "udp",
        _ => return None,
    };
    let local = ss_end(words.nth(3)?)?;
    Some((protocol, local, words.skip(1).collect()))
}

fn services(sections: &Sections<'_>, processes: &Processes<'_>) -> Vec<Service> {
    let packages = packages(sections);
    let mut found: BTreeSet<Service> = BTreeSet::new();
    for line in sections.lines("listening") {
        let Some((protocol, end, details)) = socket(line) else { continue };
        if end.port() == 0 {
            continue;
        }
        let users = details.iter().find_map(|detail| detail.strip_prefix("users:((\""));
        let process = match users.and_then(|users| users.split_once('"')) {
            Some((name, rest)) => {
                let pid = rest.strip_prefix(",pid=").and_then(|rest| rest.split(',').next()?.parse().ok());
                Some((name, pid))
            }
            None => {
                let user = details.iter().find_map(|detail| detail.strip_prefix("uid:")?.parse().ok());
                guess(processes, user.unwrap_or(0), end.port()).map(|(pid, name)| (name, Some(pid)))
            }
        };
        let package = process.and_then(|(name, pid)| {
            let of_pid = pid.and_then(|pid: u32| packages.get(pid.to_string().as_str()));
            of_pid.or_else(|| packages.get(name)).map(|package| (*package).to_owned())
        });
        found.insert(Service {
            protocol: protocol.to_owned(),
            port: end.port(),
            address: if end.ip().is_unspecified() { "*".to_owned() } else { end.ip().to_string() },
            process: process.map(|(name, _)| name.to_owned()),
            package,
        });
    }
    // A service that listens on IPv4 and IPv6 is one.
    found.into_iter().collect()
}

/// Who listens, where only the user of a socket is known: the one program of that user, or the usual one for the port.
fn guess<'t>(processes: &Processes<'t>, user: u32, port: u16) -> Option<(u32, &'t str)> {
    let own = || processes.iter().filter(move |(_, process)| process.user == user);
    let usual = USUAL.iter().find(|(known, _)| *known == port).map(|(_, names)| *names).unwrap_or_default();
    if let Some((pid, process)) = own().find(|(_, process)| usual.contains(&process.name)) {
        return Some((*pid, process.name));
    }
    if user == 0 {
        return None;
    }
    let child = |process: &Process<'_>| processes.get(&process.parent).is_some_and(|up| up.user == user);
    let programs: Vec<(u32, &str)> =
        own().filter(|(_, process)| !child(process)).map(|(pid, process)| (*pid, process.name)).collect();
    match programs.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// Packages by process number, and by process name where that is a program in the search path.
fn packages<'t>(sections: &Sections<'t>) -> BTreeMap<&'t str, &'t str> {
    let pairs = |name| sections.lines(name).iter().filter_map(|line| line.split_once(' '));
    let owners: BTreeMap<&str, &str> = pairs("owners").collect();
    pairs("executables").filter_map(|(key, path)| Some((key, *owners.get(path.trim())?))).collect()
}

fn data_stores(sections: &Sections<'_>, processes: &Processes<'_>, services: &[Service]) -> Vec<DataStore> {
    let mut stores = Vec::new();
    for line in sections.lines("data-stores") {
        let fields: Vec<&str> = line.split('\t').collect();
        let [pid, kind, kib, version] = fields.as_slice() else { continue };
        let process = pid.parse::<u32>().ok().and_then(|pid| processes.get(&pid));
        let in_memory = matches!(*kind, "redis" | "valkey" | "memcached");
        let kib = match in_memory {
            true => process.map(|process| process.kib),
            false => kib.parse::<u64>().ok(),
        };
        let name = process.map(|process| process.name);
        let ports: BTreeSet<u16> = services
            .iter()
            .filter(|service| name.is_some() && service.process.as_deref() == name)
            .map(|service| service.port)
            .collect();
        stores.push(DataStore {
            kind: (*kind).to_owned(),
            version: version_in(version),
            ports: ports.into_iter().collect(),
            data_mib: kib.map(|kib| Mib(kib.div_ceil(1024))),
        });
    }
    stores.sort();
    stores
}

/// The first number with points in what a program says of its version: `15.18` in `postgres (PostgreSQL) 15.18 (Debian)`.
fn version_in(text: &str) -> Option<String> {
    let bare = |word: &str| -> String {
        let digits = word.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
    };
    text.split_whitespace()
        .map(bare)
        .map(|version| version.trim_end_matches('.').to_owned())
        .find(|version| version.contains('.'))
}

fn containers(sections: &Sections<'_>) -> Vec<Container> {
    let mut containers: Vec<Container> = Vec::new();
    for line in sections.lines("containers") {
        let mut fields = line.split('\t');
        let (Some(engine), Some(name), Some(image)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        containers.push(Container {
            name: name.to_owned(),
            image: image.to_owned(),
            engine: engine.to_owned(),
            ports: fields.next().and_then(known).map(str::to_owned),
        });
    }
    containers.sort();
    containers
}

fn first_words(sections: &Sections<'_>, section: &str) -> Vec<String> {
    let words = sections.lines(section).iter().filter_map(|line| line.split_whitespace().next());
    let found: BTreeSet<&str> = words.filter(|word| word.contains('.')).collect();
    found.into_iter().map(str::to_owned).collect()
}

fn scheduled(sections: &Sections<'_>) -> Vec<ScheduledProgram> {
    let mut jobs: Vec<ScheduledProgram> = Vec::new();
    for line in sections.lines("cron") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (schedule, rest) = match words.as_slice() {
            [at, rest @ ..] if at.starts_with('@') => ((*at).to_owned(), rest),
            [minute, hour, day, month, weekday, rest @ ..] => {
                ([*minute, *hour, *day, *month, *weekday].join(" "), rest)
            }
            _ => continue,
        };
        if let [user, program] = rest {
            jobs.push(ScheduledProgram {
                program: (*program).to_owned(),
                schedule: Some(schedule),
                user: Some((*user).to_owned()),
            });
        }
    }
    let timers = first_words(sections, "timers").into_iter();
    jobs.extend(timers.map(|program| ScheduledProgram { program, schedule: None, user: None }));
    jobs.sort();
    jobs.dedup();
    jobs
}
