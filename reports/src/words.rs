//! Words for people: names of what documents abbreviate, and text from outside made safe to look at.

use carafe_model::catalog::Term;
use carafe_model::finding::Severity;
use carafe_model::host::OsFamily;
use carafe_model::plan::Component;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

/// The key of a component of the bill as a heading.
pub const fn component(component: Component) -> &'static str {
    match component {
        Component::Machine => "component.machine",
        Component::Disk => "component.disk",
        Component::Licence => "component.licence",
        Component::Egress => "component.egress",
        Component::LoadBalancer => "component.load-balancer",
        Component::Address => "component.address",
        Component::Nat => "component.nat",
        Component::Kubernetes => "component.kubernetes",
        Component::Opening => "component.opening",
        Component::Support => "component.support",
        Component::Managed => "component.managed",
        Component::Other => "component.other",
    }
}

/// The key of how an offer is paid for.
pub const fn term(term: Term) -> &'static str {
    match term {
        Term::OnDemand => "paid.on-demand",
        Term::Spot => "paid.spot",
        Term::OneYear => "paid.1yr",
        Term::ThreeYears => "paid.3yr",
        Term::OneYearFlex => "paid.1yr-flex",
        Term::ThreeYearsFlex => "paid.3yr-flex",
    }
}

/// The key of a severity.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "severity.error",
        Severity::Warning => "severity.warning",
        Severity::Info => "severity.note",
    }
}

/// A family of operating systems; the key of a word where it has no name.
pub fn os_family(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Linux => "Linux",
        OsFamily::Rhel => "Red Hat Enterprise Linux",
        OsFamily::Sles => "SUSE Linux Enterprise Server",
        OsFamily::Windows => "Windows",
        OsFamily::Other => "",
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
}
