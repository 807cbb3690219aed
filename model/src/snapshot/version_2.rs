//! The columns of a file of version 2, which plans made with an earlier Carafe name by hash: numbers of any length, one
//! after another, and no prices by unit.

use serde::{Deserialize, Serialize};

use crate::catalog::{
    Certification, DiskPrice, InstanceType, Latency, LicencePrice, Offers, PriceSource, Provider, Region,
    ServicePrice, Snapshot, TransferPrice,
};
use crate::idx::{Idx, IdxVec};
use crate::units::{Currency, Rate};

#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot2 {
    id: String,
    currency: Currency,
    sources: IdxVec<PriceSource>,
    providers: IdxVec<Provider>,
    regions: IdxVec<Region>,
    instance_types: IdxVec<InstanceType>,
    offers: Offers2,
    disks: Vec<DiskPrice>,
    transfers: Vec<TransferPrice>,
    services: Vec<ServicePrice>,
    licences: Vec<LicencePrice>,
    latencies: Vec<Latency>,
    certifications: Vec<Certification>,
}

#[derive(Serialize, Deserialize)]
struct Offers2 {
    region: Vec<Idx<Region>>,
    instance_type: Vec<Idx<InstanceType>>,
    source: Vec<Idx<PriceSource>>,
    on_demand: Vec<Rate>,
    spot: Vec<Rate>,
    one_year: Vec<Rate>,
    three_years: Vec<Rate>,
    one_year_flex: Vec<Rate>,
    three_years_flex: Vec<Rate>,
    windows: Vec<Rate>,
    windows_source: Vec<Idx<PriceSource>>,
}

impl From<Snapshot2> for Snapshot {
    fn from(old: Snapshot2) -> Snapshot {
        let Offers2 {
            region,
            instance_type,
            source,
            on_demand,
            spot,
            one_year,
            three_years,
            one_year_flex,
            three_years_flex,
            windows,
            windows_source,
        } = old.offers;
        Snapshot {
            id: old.id,
            currency: old.currency,
            sources: old.sources,
            providers: old.providers,
            regions: old.regions,
            instance_types: old.instance_types,
            offers: Offers {
                region,
                instance_type,
                source,
                on_demand,
                spot,
                one_year,
                three_years,
                one_year_flex,
                three_years_flex,
                windows,
                windows_source,
            },
            disks: old.disks,
            transfers: old.transfers,
            services: old.services,
            licences: old.licences,
            latencies: old.latencies,
            certifications: old.certifications,
            unit_prices: Vec::new(),
        }
    }
}

#[cfg(test)]
impl From<Snapshot> for Snapshot2 {
    fn from(new: Snapshot) -> Snapshot2 {
        let offers = new.offers;
        Snapshot2 {
            id: new.id,
            currency: new.currency,
            sources: new.sources,
            providers: new.providers,
            regions: new.regions,
            instance_types: new.instance_types,
            offers: Offers2 {
                region: offers.region,
                instance_type: offers.instance_type,
                source: offers.source,
                on_demand: offers.on_demand,
                spot: offers.spot,
                one_year: offers.one_year,
                three_years: offers.three_years,
                one_year_flex: offers.one_year_flex,
                three_years_flex: offers.three_years_flex,
                windows: offers.windows,
                windows_source: offers.windows_source,
            },
            disks: new.disks,
            transfers: new.transfers,
            services: new.services,
            licences: new.licences,
            latencies: new.latencies,
            certifications: new.certifications,
        }
    }
}
