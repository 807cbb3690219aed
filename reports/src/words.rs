//! Words for people: names of what documents abbreviate, plurals, and text from outside made safe to look at.

use carafe_model::catalog::Term;
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::plan::Component;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::figures;

/// A text from outside with its invisible characters written out.
///
/// Control characters and those that turn the direction of writing become `⟨U+202E⟩` and the like, so that a name
/// cannot pass for another one; line breaks and tabs become spaces. Escaping is the renderer's.
pub fn visible(text: &str) -> String {
    if !text.contains(is_invisible) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => shown.push(' '),
            c if is_invisible(c) => shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that are not seen but change what is. Joiners stay: emoji and several scripts need them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `1 host`, `2 hosts`, `10,000 hosts`.
pub fn counted(number: usize, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", figures::count(number))
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// How many columns of a terminal a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text, or its beginning and an ellipsis when it takes more than `most` columns.
pub fn clipped(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut taken = 0;
    let mut shown = String::new();
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken + 1 > most {
            break;
        }
        shown.push(c);
    }
    shown.push('…');
    shown
}

/// The name people know a provider by; one that is not known is shown as it is.
pub fn provider(name: &str) -> String {
    match name {
        "aws" => "AWS",
        "azure" => "Azure",
        "gcp" => "Google Cloud",
        "alibaba" => "Alibaba Cloud",
        "tencent" => "Tencent Cloud",
        "ibm" => "IBM Cloud",
        "oci" => "Oracle Cloud",
        "openstack" => "OpenStack",
        "ncp" => "Naver Cloud",
        "ncp-classic" => "Naver Cloud Classic",
        "nhn" => "NHN Cloud",
        "kt" => "KT Cloud",
        "kt-classic" => "KT Cloud Classic",
        other => return visible(other),
    }
    .to_owned()
}

/// A component of the bill as a heading.
pub fn component(component: Component) -> &'static str {
    match component {
        Component::Machine => "Machines",
        Component::Disk => "Disks",
        Component::Licence => "Licences",
        Component::Egress => "Outgoing traffic",
        Component::LoadBalancer => "Load balancers",
        Component::Address => "Public addresses",
        Component::Nat => "NAT gateways",
        Component::Kubernetes => "Kubernetes control planes",
        Component::Opening => "Fixed costs",
        Component::Support => "Support plans",
        Component::Managed => "Managed services",
        Component::Other => "Other costs",
    }
}

/// How an offer is paid for.
pub fn term(term: Term) -> &'static str {
    match term {
        Term::OnDemand => "on demand",
        Term::Spot => "spot",
        Term::OneYear => "1 year",
        Term::ThreeYears => "3 years",
        Term::OneYearFlex => "1 year, flexible",
        Term::ThreeYearsFlex => "3 years, flexible",
    }
}

/// An instruction set.
pub fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86-64",
        Architecture::Arm64 => "Arm",
        Architecture::Other => "another architecture",
    }
}

/// A family of operating systems.
pub fn os_family(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Linux => "Linux",
        OsFamily::Rhel => "Red Hat Enterprise Linux",
        OsFamily::Sles => "SUSE Linux Enterprise Server",
        OsFamily::Windows => "Windows",
        OsFamily::Other => "another system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("erp\u{202e}bd-1"), "erp⟨U+202E⟩bd-1");
        assert_eq!(visible("a\tb\r\nc\u{0}\u{1b}[31m"), "a b  c⟨U+0000⟩⟨U+001B⟩[31m");
        for untouched in ["운영 db-1", "عميل", "👩\u{200d}💻", "<b>\"&'"] {
            assert_eq!(visible(untouched), untouched);
        }
    }

    #[test]
    fn clipping_counts_columns_not_characters() {
        assert_eq!(clipped("운영서버-1", 10), "운영서버-1");
        assert_eq!(clipped("운영서버-12", 10), "운영서버-…");
        assert_eq!(clipped("운영", 2), "…");
        assert_eq!(columns("운영"), 4);
    }

    #[test]
    fn lists_and_plurals_read_well() {
        assert_eq!(counted(1, "host"), "1 host");
        assert_eq!(counted(10_000, "host"), "10,000 hosts");
        assert_eq!(listed(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
