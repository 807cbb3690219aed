//! How long a round trip takes between two places: measured where the catalog has it, else by distance over fibre.
//!
//! Light in fibre travels about 200 km in a millisecond. Cables take detours and routers wait: of 10,000 measured pairs
//! of regions, 86 % answered within 5 ms plus two and a half times what light alone would need, and that is counted with.
//! Rows that the catalog marks as faster than light are not trusted.

use std::collections::BTreeMap;

use carafe_model::catalog::{Region, Snapshot};
use carafe_model::idx::Idx;

/// Microseconds between two machines in one region, where nothing was measured: the median of measured regions.
const SAME_REGION_MICROS: u32 = 2_000;
/// Microseconds that a way of any length takes beside its length.
const FIXED_MICROS: f64 = 5_000.0;
/// Microseconds there and back for each kilometre of distance: light needs 10.
const MICROS_PER_KM: f64 = 25.0;
/// Mean radius of the earth.
const EARTH_KM: f64 = 6_371.0;

/// Latitude and longitude in millionths of a degree.
pub type Point = (i32, i32);

/// Round trips between the regions of a catalog.
#[derive(Debug)]
pub struct Latencies {
    measured: BTreeMap<(Idx<Region>, Idx<Region>), u32>,
    points: Vec<Option<Point>>,
}

impl Latencies {
    /// Takes them from a catalog.
    pub fn new(catalog: &Snapshot) -> Latencies {
        let mut measured: BTreeMap<(Idx<Region>, Idx<Region>), u32> = BTreeMap::new();
        for row in catalog.latencies.iter().filter(|row| !row.suspect) {
            let ends = (row.from.min(row.to), row.from.max(row.to));
            let slowest = measured.entry(ends).or_default();
            *slowest = (*slowest).max(row.rtt_micros);
        }
        Latencies { measured, points: catalog.regions.iter().map(|region| region.coordinates).collect() }
    }

    /// Microseconds there and back; of both directions the slower one. `None` when nothing is known of the two.
    pub fn between(&self, a: Idx<Region>, b: Idx<Region>) -> Option<u32> {
        let known = self.measured.get(&(a.min(b), a.max(b))).copied();
        known.or_else(|| {
            if a == b {
                return Some(SAME_REGION_MICROS);
            }
            Some(by_distance(self.points[a.usize()]?, self.points[b.usize()]?))
        })
    }
}

/// Microseconds there and back over a distance, rounded up to tenths of a millisecond.
pub fn by_distance(a: Point, b: Point) -> u32 {
    let radians = |millionths: i32| (f64::from(millionths) / 1e6).to_radians();
    let (north_a, north_b) = (radians(a.0), radians(b.0));
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(north_b - north_a) + north_a.cos() * north_b.cos() * half(radians(b.1) - radians(a.1));
    let kilometres = 2.0 * EARTH_KM * chord.clamp(0.0, 1.0).sqrt().asin();
    let tenths = ((FIXED_MICROS + MICROS_PER_KM * kilometres) / 100.0).ceil();
    // Half around the earth is 0.5 s, so this fits.
    tenths as u32 * 100
}
