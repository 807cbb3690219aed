//! The table of clouds and drivers in the documentation.

use std::path::Path;

use carafe::drivers::DRIVERS;
use carafe::drivers::matrix::{Feature, markdown};

const BEGIN: &str = "<!-- generated: matrix -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_table_in_the_documentation_says_what_the_drivers_declare() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drivers.md");
    let text = std::fs::read_to_string(&path).expect("docs/drivers.md is there");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let renewed = format!("{before}{BEGIN}{}{END}{after}", markdown(DRIVERS));
    if std::env::var_os("CARAFE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, renewed).expect("writable");
    } else {
        assert!(text == renewed, "run CARAFE_UPDATE_DOCS=1 cargo test -p carafe --test drivers matrix");
    }
}

#[test]
fn a_driver_names_each_cloud_and_each_feature_once() {
    for driver in DRIVERS {
        let mut providers: Vec<&str> = driver.support.iter().map(|support| support.provider).collect();
        providers.sort_unstable();
        assert!(providers.windows(2).all(|pair| pair[0] != pair[1]), "{}: {providers:?}", driver.name);
        for support in driver.support {
            for feature in Feature::ALL {
                let times = support.features.iter().filter(|(found, _)| *found == feature).count();
                assert!(times <= 1, "{}, {}: {} twice", driver.name, support.provider, feature.words());
            }
        }
    }
}
