//! The page `docs/cost.md`: figures into a template.

use minijinja::Error;
use minijinja::value::Serde;
use serde::Serialize;

use super::assumed::{ASSUMED, Assumed};
use super::fixed::{self, Standing};
use super::form::environment;
use super::hosted::{Hosted, cpu_seconds, hosted};
use super::levers::{Lever, Saved, levers, saved, tuned, window_for_ten};
use super::measured::{Batch, Measured, Sink, Size};
use super::order::{Bill, Biller, Destination, Door, Keep, Setting, intake_ms, processor_ms, row_bytes};
use super::prices::{Price, Prices};

const TEMPLATE: &str = include_str!("cost.md.j2");

/// Everything that the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What ordersync was measured to need.
    pub ours: &'a Measured,
    /// The same of Node.
    pub node: &'a Measured,
    /// What that costs.
    pub prices: &'a Prices,
}

/// What the template knows.
#[derive(Debug, Serialize)]
struct Figures<'a> {
    region: &'a str,
    checked: &'a str,
    assumed: Assumed,
    components: Vec<Column>,
    goals: Vec<Reached>,
    url_goals: Vec<Reached>,
    sizes: Vec<BySize>,
    peers: Vec<Column>,
    durations: Vec<(&'static str, f64, f64, f64)>,
    units: f64,
    kept_units: f64,
    number_units: f64,
    fixed: Vec<Standing>,
    fixed_total: f64,
    volumes: Vec<Volume>,
    node_cpu_ms: f64,
    levers: Vec<Lever>,
    together: Vec<(&'static str, f64)>,
    saved: Vec<Saved>,
    prices: Vec<&'a Price>,
}

/// A column of a table of components.
#[derive(Debug, Serialize)]
struct Column {
    title: &'static str,
    bill: Bill,
    calls: f64,
    total: f64,
}

/// A goal, and what became of it with one setting.
#[derive(Debug, Serialize)]
struct Reached {
    kept: &'static str,
    number: &'static str,
    handled: &'static str,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug, Serialize)]
struct Cell {
    dollars: f64,
    goal: f64,
    is_reached: bool,
}

/// A million orders by size.
#[derive(Debug, Serialize)]
struct BySize {
    destination: &'static str,
    kept: &'static str,
    door: &'static str,
    calls: Vec<f64>,
    totals: Vec<f64>,
}

/// A month of orders, on Lambda and on servers.
#[derive(Debug, Serialize)]
struct Volume {
    orders: f64,
    as_it_is: f64,
    tuned: f64,
    hosted: f64,
    window: f64,
    servers: Hosted,
}

const TEN_TO_HTTP: (Sink, Batch, Size) = (Sink::Http, Batch::Ten, Size::Middle);

const DESTINATIONS: [(Destination, f64); 4] = [
    (Destination::Http, 3.5),
    (Destination::S3, 8.5),
    (Destination::Packed(10.0), 4.0),
    (Destination::Packed(100.0), 4.0),
];

impl Page<'_> {
    /// The whole page.
    ///
    /// # Errors
    /// The template is wrong.
    pub fn render(&self) -> Result<String, Error> {
        let mut environment = environment()?;
        environment.add_template("cost.md", TEMPLATE)?;
        environment.get_template("cost.md")?.render(Serde(self.figures()))
    }

    fn figures(&self) -> Figures<'_> {
        let standing = fixed::standing(self.prices);
        let base = Setting { batch: Batch::One, ..Setting::DEFAULT };
        let together = [("as it is", base), ("tuned", tuned(&base)), ("tuned and in tens", tuned(&Setting::DEFAULT))];
        let total = |(name, setting)| Some((name, self.biller().bill(&setting)?.total()));
        let units = |units: Option<f64>| units.unwrap_or_default();
        Figures {
            region: &self.prices.region,
            checked: &self.prices.checked,
            assumed: ASSUMED,
            components: self.components(),
            goals: self.goals(Door::HttpApi),
            url_goals: self.goals(Door::FunctionUrl),
            sizes: self.sizes(),
            peers: self.peers(),
            durations: self.durations(),
            units: units(self.ours.unkept_write_units.get(&Size::Middle).copied()),
            number_units: self.ours.number_units,
            kept_units: units(self.ours.processor.get(&TEN_TO_HTTP).map(|batch| batch.write_units)),
            fixed_total: fixed::total(&standing),
            fixed: standing,
            volumes: self.volumes(),
            node_cpu_ms: cpu_seconds(self.node) * 1000.0,
            levers: levers(&self.biller(), &base),
            together: together.into_iter().filter_map(total).collect(),
            saved: saved(&self.biller(), self.ours, self.prices),
            prices: self.prices.all().into_iter().map(|(_, price)| price).collect(),
        }
    }

    fn biller(&self) -> Biller<'_> {
        Biller { measured: self.ours, prices: self.prices }
    }

    fn column(&self, of: &Measured, title: &'static str, setting: &Setting) -> Option<Column> {
        let bill = Biller { measured: of, prices: self.prices }.bill(setting)?;
        Some(Column { title, bill, calls: bill.calls(), total: bill.total() })
    }

    /// 10 KB in batches of ten, by destination and by what is kept.
    fn components(&self) -> Vec<Column> {
        let kept = [Keep::UntilExported, Keep::Always];
        let titles = ["HTTP", "HTTP, payload kept", "S3", "S3, payload kept", "S3, packs of 10", "S3, packs of 100"];
        let settings = [
            (Destination::Http, kept[0]),
            (Destination::Http, kept[1]),
            (Destination::S3, kept[0]),
            (Destination::S3, kept[1]),
            (Destination::Packed(10.0), kept[0]),
            (Destination::Packed(100.0), kept[0]),
        ];
        let column = |(title, (destination, keep))| {
            self.column(self.ours, title, &Setting { destination, keep, ..Setting::DEFAULT })
        };
        titles.into_iter().zip(settings).filter_map(column).collect()
    }

    /// What the goals are compared with, by how orders come in: rows by setting, columns by destination.
    fn goals(&self, door: Door) -> Vec<Reached> {
        let kept = [("until exported", Keep::UntilExported), ("always", Keep::Always)];
        let numbered = [("its id, or not looked up", false), ("another than its id", true)];
        let handled = [("in tens", Batch::Ten), ("alone", Batch::One)];
        let cell = |(destination, goal), setting: Setting| {
            // A pack is made of a batch.
            if matches!(destination, Destination::Packed(_)) && setting.batch == Batch::One {
                return None;
            }
            let dollars = self.biller().bill(&Setting { destination, ..setting })?.calls();
            let goal = if door == Door::FunctionUrl { goal - 1.0 } else { goal };
            Some(Cell { dollars, goal, is_reached: dollars <= goal })
        };
        let mut rows = Vec::new();
        for (handled, batch) in handled {
            for (kept, keep) in kept {
                for (number, by_number) in numbered {
                    let setting = Setting { batch, keep, by_number, door, ..Setting::DEFAULT };
                    let cells = DESTINATIONS.into_iter().map(|column| cell(column, setting)).collect();
                    rows.push(Reached { kept, number, handled, cells });
                }
            }
        }
        rows
    }

    /// Calls and total of a million orders in batches of ten, by size.
    fn sizes(&self) -> Vec<BySize> {
        let destinations =
            [("HTTP", Destination::Http), ("S3", Destination::S3), ("S3, packs of 10", Destination::Packed(10.0))];
        let mut rows = Vec::new();
        for (destination, to) in destinations {
            for (kept, keep) in [("until exported", Keep::UntilExported), ("always", Keep::Always)] {
                for (door, by) in [("HTTP API", Door::HttpApi), ("function URL", Door::FunctionUrl)] {
                    let setting = Setting { destination: to, keep, door: by, ..Setting::DEFAULT };
                    let of = |size| self.biller().bill(&Setting { size, ..setting });
                    let bills: Vec<_> = Size::ALL.into_iter().filter_map(of).collect();
                    let calls = bills.iter().map(Bill::calls).collect();
                    let totals = bills.iter().map(Bill::total).collect();
                    rows.push(BySize { destination, kept, door, calls, totals });
                }
            }
        }
        rows
    }

    /// Node beside ordersync, which keeps no payload either.
    fn peers(&self) -> Vec<Column> {
        let ours = Setting { keep: Keep::UntilExported, ..Setting::DEFAULT };
        let theirs = Setting { keep: Keep::AsMeasured, ..Setting::DEFAULT };
        let s3 = |setting: Setting| Setting { destination: Destination::S3, ..setting };
        let columns = [
            self.column(self.ours, "ordersync, HTTP", &ours),
            self.column(self.node, "Node, HTTP", &theirs),
            self.column(self.ours, "ordersync, S3", &s3(ours)),
            self.column(self.node, "Node, S3", &s3(theirs)),
        ];
        columns.into_iter().flatten().collect()
    }

    /// Billed milliseconds of intake, of a batch to an endpoint and of one to a bucket; of ordersync and of Node.
    fn durations(&self) -> Vec<(&'static str, f64, f64, f64)> {
        let of = |name, measured: &Measured| {
            let intake = measured.intake.get(&Size::Middle)?;
            let batch = |sink| measured.processor.get(&(sink, Batch::Ten, Size::Middle));
            let s3 = Setting { destination: Destination::S3, ..Setting::DEFAULT };
            let http = processor_ms(batch(Sink::Http)?, &Setting::DEFAULT);
            Some((name, intake_ms(intake, &Setting::DEFAULT), http, processor_ms(batch(Sink::S3)?, &s3)))
        };
        [of("ordersync", self.ours), of("Node", self.node)].into_iter().flatten().collect()
    }

    fn volumes(&self) -> Vec<Volume> {
        let standing = fixed::total(&fixed::standing(self.prices));
        let cpu = cpu_seconds(self.node);
        let of = |orders: f64| {
            let as_it_is = Setting { batch: Batch::One, orders_a_month: orders, ..Setting::DEFAULT };
            let window = window_for_ten(orders);
            // A window is five minutes at most, and few would have orders wait longer than two.
            let batch = if window <= 120.0 { Batch::Ten } else { Batch::One };
            // Kept as long as on the servers.
            let tuned = Setting { kept_months: ASSUMED.kept_months, ..tuned(&Setting { batch, ..as_it_is }) };
            // Transfer to the destination is the same on both sides, and left out on both.
            let month = |setting: &Setting| {
                let bill = self.biller().bill(setting)?;
                Some(standing + (bill.total() - bill.transfer) * orders / 1e6)
            };
            let unkept = *self.ours.unkept_write_units.get(&Size::Middle)?;
            let servers = hosted(self.prices, orders, cpu, row_bytes(unkept, self.ours.number_units));
            let (as_it_is, tuned) = (month(&as_it_is)?, month(&tuned)?);
            Some(Volume { orders, as_it_is, tuned, hosted: servers.total(), window, servers })
        };
        [1e4, 1e6, 1e8].into_iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::tests::tables;
    use super::super::measured::tests::measured;
    use super::super::prices::tests::prices;
    use super::*;
    use crate::results::Target;

    fn page() -> String {
        let (ours, node, prices) = (measured(Target::Ordersync), measured(Target::Node), prices());
        Page { ours: &ours, node: &node, prices: &prices }.render().unwrap()
    }

    #[test]
    fn the_page_is_the_same_for_the_same_results() {
        assert_eq!(page(), page());
    }

    #[test]
    fn its_tables_are_tables() {
        assert_eq!(tables(&page()), 12);
    }

    #[test]
    fn it_says_of_each_goal_whether_it_is_reached() {
        let text = page();
        // By hand: 1.00 + 0.25 + 0.52 + 0.17 + 1.25 = 3.19 to an endpoint, with two write units.
        assert!(text.contains("**$3.19**"), "{text}");
        assert!(text.contains("over by"), "with the payload kept");
    }
}
