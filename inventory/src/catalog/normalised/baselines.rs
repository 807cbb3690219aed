//! What machines with rationed processor time may use of it all day, by the providers' documentation.
//!
//! Sources, as of 2026: AWS, "Key concepts for burstable performance instances" (baseline per vCPU of T2, T3, T3a, T4g);
//! Microsoft, "B-series burstable virtual machine sizes", and the pages of Bsv2, Basv2 and Bpsv2 (base CPU performance
//! of the machine); Google, "CPU bursting for shared-core machine types" (E2 shared-core, f1-micro, g1-small).

/// Provider, type, and hundredths of one vCPU for the whole machine.
const BASELINES: &[(&str, &str, u32)] = &[
    ("aws", "t2.nano", 5),
    ("aws", "t2.micro", 10),
    ("aws", "t2.small", 20),
    ("aws", "t2.medium", 40),
    ("aws", "t2.large", 60),
    ("aws", "t2.xlarge", 90),
    ("aws", "t2.2xlarge", 136),
    ("aws", "t3.nano", 10),
    ("aws", "t3.micro", 20),
    ("aws", "t3.small", 40),
    ("aws", "t3.medium", 40),
    ("aws", "t3.large", 60),
    ("aws", "t3.xlarge", 160),
    ("aws", "t3.2xlarge", 320),
    ("azure", "Standard_B1ls", 5),
    ("azure", "Standard_B1s", 10),
    ("azure", "Standard_B1ms", 20),
    ("azure", "Standard_B2s", 40),
    ("azure", "Standard_B2ms", 60),
    ("azure", "Standard_B4ms", 90),
    ("azure", "Standard_B8ms", 135),
    ("azure", "Standard_B12ms", 202),
    ("azure", "Standard_B16ms", 270),
    ("azure", "Standard_B20ms", 337),
    ("azure", "Standard_B2ts_v2", 40),
    ("azure", "Standard_B2ls_v2", 60),
    ("azure", "Standard_B2s_v2", 80),
    ("azure", "Standard_B4ls_v2", 120),
    ("azure", "Standard_B4s_v2", 160),
    ("azure", "Standard_B8ls_v2", 240),
    ("azure", "Standard_B8s_v2", 320),
    ("azure", "Standard_B16ls_v2", 480),
    ("azure", "Standard_B16s_v2", 640),
    ("azure", "Standard_B32ls_v2", 960),
    ("azure", "Standard_B32s_v2", 1280),
    ("gcp", "e2-micro", 25),
    ("gcp", "e2-small", 50),
    ("gcp", "e2-medium", 100),
    ("gcp", "f1-micro", 20),
    ("gcp", "g1-small", 50),
];

/// What a type may use all day in thousandths of a vCPU, where it is documented. Families that differ from a listed one
/// in their processor alone have its baselines.
pub(in crate::catalog) fn known(provider: &str, name: &str) -> Option<u32> {
    let alike = match provider {
        "aws" => name.replacen("t3a.", "t3.", 1).replacen("t4g.", "t3.", 1),
        "azure" => azure_alike(name),
        _ => name.to_owned(),
    };
    let row = BASELINES.iter().find(|(of, known, _)| *of == provider && *known == alike)?;
    Some(row.2 * 10)
}

/// `Standard_B4as_v2` and `Standard_B4ps_v2` as `Standard_B4s_v2`.
fn azure_alike(name: &str) -> String {
    let Some(rest) = name.strip_prefix("Standard_B").and_then(|rest| rest.strip_suffix("_v2")) else {
        return name.to_owned();
    };
    let letters: String = rest.chars().filter(|letter| !matches!(letter, 'a' | 'p')).collect();
    format!("Standard_B{letters}_v2")
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn families_with_another_processor_have_the_same_baselines() {
        assert_eq!(known("aws", "t3.large"), Some(600));
        assert_eq!(known("aws", "t4g.large"), Some(600));
        assert_eq!(known("aws", "t3a.nano"), Some(100));
        assert_eq!(known("azure", "Standard_B4as_v2"), Some(1600));
        assert_eq!(known("azure", "Standard_B2pls_v2"), Some(600));
        assert_eq!(known("azure", "Standard_B2ms"), Some(600));
        assert_eq!(known("gcp", "e2-medium"), Some(1000));
        assert_eq!(known("gcp", "e2-standard-2"), None);
        assert_eq!(known("aws", "m5.large"), None);
    }
}
