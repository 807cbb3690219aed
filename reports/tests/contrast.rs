//! The colours of the report against WCAG 2.2: text at least 4.5 to 1, edges of controls and bars at least 3 to 1.
#![expect(clippy::unwrap_used, reason = "a style sheet of another shape must stop the test")]

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../templates/html/report.css");

fn colours(block: &str) -> BTreeMap<&str, [u8; 3]> {
    let end = block.find('}').unwrap();
    block[..end]
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"))
        .map(|(name, hex)| {
            let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (name, [part(0), part(2), part(4)])
        })
        .collect()
}

/// Relative luminance, as WCAG 2.2 defines it.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn the_formula_is_right_at_its_ends() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([119; 3], [255; 3]) - 4.48).abs() < 0.01);
}

#[test]
fn both_themes_have_enough_contrast() {
    let themes: Vec<_> = STYLE.split(":root {").skip(1).map(colours).collect();
    assert_eq!(themes.len(), 2);
    for theme in themes {
        for ground in ["ground", "panel", "care-ground"] {
            for text in ["text", "muted", "link", "good", "care", "bad"] {
                let found = contrast(theme[text], theme[ground]);
                assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
            }
        }
        for (mark, ground) in [("edge", "ground"), ("bar", "ground"), ("bar", "track")] {
            let found = contrast(theme[mark], theme[ground]);
            assert!(found >= 3.0, "{mark} on {ground}: {found:.2}");
        }
    }
}
