//! What somebody pays a month who runs the same on servers: small instances behind a load balancer, and a database that
//! is the queue too. Pure.

use serde::Serialize;

use super::assumed::{ASSUMED, GB};
use super::measured::{Batch, Measured, Sink, Size};
use super::prices::Prices;

/// vCPUs of an instance.
const VCPUS: f64 = 2.0;
/// How much of its vCPUs a t4g.small may use for ever, in vCPUs.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html>
const BASELINE_VCPUS: f64 = 0.4;
/// How much of its CPU a server is planned to use in the busiest second.
const PLANNED_USE: f64 = 0.5;
/// One goes for an update or breaks, the other serves on.
const LEAST: f64 = 2.0;
/// Disk of an instance, in GB.
const DISK_GB: f64 = 20.0;
/// Transactions of an order: taken in, begun, done.
const TRANSACTIONS: f64 = 3.0;
/// Transactions a second that the two smaller databases are trusted with.
const SMALL_BEARS: f64 = 100.0;
const MEDIUM_BEARS: f64 = 500.0;
/// The least disk of a database, in GB.
const LEAST_DATABASE_GB: f64 = 20.0;
/// New connections a second that a unit of the balancer covers; a shop's webhooks seldom share one.
/// <https://aws.amazon.com/elasticloadbalancing/pricing/>
const CONNECTIONS_A_UNIT: f64 = 25.0;

/// A month of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hosted {
    /// Instances.
    pub instances: f64,
    /// The same, before there are two at least.
    pub needed: f64,
    /// Orders a second that one instance is planned for.
    pub instance_bears: f64,
    /// Class of the database.
    pub database: &'static str,
    /// Transactions a second at the peak.
    pub transactions: f64,
    /// GB that the database holds once it is as old as rows are kept.
    pub stored_gb: f64,
    /// US dollars for instances, disks and addresses.
    pub servers: f64,
    /// US dollars for the balancer.
    pub balancer: f64,
    /// US dollars for the database and its disk.
    pub data: f64,
}

impl Hosted {
    /// US dollars in all.
    pub fn total(&self) -> f64 {
        self.servers + self.balancer + self.data
    }
}

/// CPU of an order as the target was measured, intake and export together, in seconds.
pub fn cpu_seconds(measured: &Measured) -> f64 {
    let intake = measured.intake.get(&Size::Middle).map_or(0.0, |intake| intake.cpu_us);
    let batch = measured.processor.get(&(Sink::Http, Batch::Ten, Size::Middle)).map_or(0.0, |batch| batch.cpu_us);
    (intake + batch / Batch::Ten.orders()) / 1e6
}

/// What so many orders a month cost on servers, each order with so much CPU and so many bytes in the database.
pub fn hosted(prices: &Prices, orders_a_month: f64, cpu: f64, row_bytes: f64) -> Hosted {
    let mean = orders_a_month / (ASSUMED.hours * 3600.0);
    let peak = mean * ASSUMED.peak;
    let bears = VCPUS * PLANNED_USE / cpu;
    let needed = (peak / bears).max(mean * cpu / BASELINE_VCPUS);
    let instances = needed.ceil().max(LEAST);
    let transactions = peak * TRANSACTIONS;
    let (database, hour) = if transactions <= SMALL_BEARS {
        ("db.t4g.small", &prices.database_small)
    } else if transactions <= MEDIUM_BEARS {
        ("db.t4g.medium", &prices.database_medium)
    } else {
        ("db.m6g.large", &prices.database_large)
    };
    let stored_gb = orders_a_month * row_bytes / GB * ASSUMED.kept_months;
    let units = (mean / CONNECTIONS_A_UNIT).max(1.0) * ASSUMED.hours;
    // The balancer has an address in each of two zones.
    let addresses = prices.address.of((instances + 2.0) * ASSUMED.hours);
    Hosted {
        instances,
        needed,
        instance_bears: bears,
        database,
        transactions,
        stored_gb,
        servers: prices.instance.of(instances * ASSUMED.hours)
            + prices.instance_disk.of(instances * DISK_GB)
            + addresses,
        balancer: prices.balancer.of(ASSUMED.hours) + prices.balancer_unit.of(units),
        data: hour.of(ASSUMED.hours) + prices.database_storage.of(stored_gb.max(LEAST_DATABASE_GB)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::measured;
    use super::super::prices::tests::prices;
    use super::*;
    use crate::results::Target;

    #[test]
    fn an_orders_cpu_is_intakes_and_its_part_of_a_batch() {
        assert!((cpu_seconds(&measured(Target::Node)) - (1150.0 + 2000.0) / 1e6).abs() < 1e-12);
    }

    #[test]
    fn there_are_two_instances_at_least_and_more_where_the_load_asks_for_them() {
        let few = hosted(&prices(), 10_000.0, 0.003, 1124.0);
        assert_eq!((few.instances, few.database), (2.0, "db.t4g.small"));
        let many = hosted(&prices(), 1e9, 0.003, 1124.0);
        // 381 orders a second, ten times that at the peak: 3805 x 3 ms of 1 vCPU.
        assert_eq!((many.instances, many.database), (12.0, "db.m6g.large"));
        assert!(many.total() > few.total());
    }

    #[test]
    fn the_smallest_is_priced_part_by_part() {
        let few = hosted(&prices(), 10_000.0, 0.003, 1124.0);
        assert!((few.servers - (2.0 * 730.0 * 0.0168 + 2.0 * 20.0 * 0.08 + 4.0 * 730.0 * 0.005)).abs() < 1e-9);
        assert!((few.balancer - 730.0 * (0.0225 + 0.008)).abs() < 1e-9);
        assert!((few.data - (730.0 * 0.065 + 20.0 * 0.23)).abs() < 1e-9);
    }
}
