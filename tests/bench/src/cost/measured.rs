//! What the cost table needs of what was measured, and what of it is missing.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::results::{Results, Target};

/// Size of an order as the shop sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Size {
    /// 2 KB.
    #[serde(rename = "2 KB")]
    Small,
    /// 10 KB.
    #[serde(rename = "10 KB")]
    Middle,
    /// 100 KB.
    #[serde(rename = "100 KB")]
    Large,
}

impl Size {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Small, Self::Middle, Self::Large];

    /// As works are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "2k",
            Self::Middle => "10k",
            Self::Large => "100k",
        }
    }

    /// Bytes of the webhook.
    pub fn bytes(self) -> f64 {
        match self {
            Self::Small => 2_048.0,
            Self::Middle => 10_240.0,
            Self::Large => 102_400.0,
        }
    }
}

/// Where orders go in what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sink {
    /// A merchant's endpoint.
    Http,
    /// A bucket.
    S3,
}

impl Sink {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::S3 => "s3",
        }
    }
}

/// Orders of a batch in what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Batch {
    /// Each order alone, as in a shop where few are placed.
    One,
    /// Ten, as at a sale, or with a batch window.
    Ten,
}

impl Batch {
    /// How many orders.
    pub fn orders(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Ten => 10.0,
        }
    }
}

/// One order taken in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Intake {
    /// CPU of a warm invocation on a whole core.
    pub cpu_us: f64,
    /// From the start of the process until it asks for its first invocation.
    pub init_ms: f64,
    /// `SendMessage` calls an order.
    pub sends: f64,
    /// Bytes logged an order.
    pub log_bytes: f64,
}

/// Orders exported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Processor {
    /// CPU of a warm invocation on a whole core, for the whole batch.
    pub cpu_us: f64,
    /// How long a batch takes on a whole core when every call takes [`super::assumed::Assumed::call_ms`].
    pub wall_us: f64,
    /// From the start of the process until it asks for its first invocation.
    pub init_ms: f64,
    /// Calls of the ledger an order, one after another.
    pub ledger_calls: f64,
    /// Objects written an order.
    pub puts: f64,
    /// Write request units an order.
    pub write_units: f64,
    /// Read request units an order.
    pub read_units: f64,
    /// Bytes logged an order.
    pub log_bytes: f64,
}

/// What one target was measured to need.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Orders taken in, by size.
    pub intake: BTreeMap<Size, Intake>,
    /// Orders exported.
    pub processor: BTreeMap<(Sink, Batch, Size), Processor>,
    /// Write request units an order where the ledger keeps no payload of what was exported. Only of ordersync.
    pub unkept_write_units: BTreeMap<Size, f64>,
    /// How many of them are for the index by number, into which only orders go whose number is not their id.
    pub number_units: f64,
}

/// What the results lack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Missing(pub Vec<String>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "the results lack {} figures that costs are computed from; `make bench` measures them:",
            self.0.len()
        )?;
        write!(f, "  {}", self.0.join("\n  "))
    }
}

/// Reads figures and notes those that are not there.
#[derive(Debug)]
struct Reader<'a> {
    results: &'a Results,
    target: Target,
    missing: Vec<String>,
}

impl Reader<'_> {
    fn get(&mut self, work: &str, metric: &str) -> f64 {
        self.results.median(self.target, work, metric).unwrap_or_else(|| {
            self.missing.push(format!("{} {work}: {metric}", self.target));
            0.0
        })
    }

    /// How often a service (`S3.`) or one of its operations (`S3.PutObject`) is called an order; what was not called at all
    /// is not in the results, but something is.
    fn calls(&mut self, work: &str, of: &str) -> f64 {
        let figures = self.results.0.iter().filter(|figure| figure.target == self.target && figure.work == work);
        let mut calls = figures.filter(|figure| figure.metric.starts_with("calls/")).peekable();
        if calls.peek().is_none() {
            let none = format!("{} {work}: calls/…", self.target);
            if !self.missing.contains(&none) {
                self.missing.push(none);
            }
        }
        let of = format!("calls/{of}");
        calls.filter(|figure| figure.metric.starts_with(&of)).map(|figure| figure.median).sum()
    }

    fn intake(&mut self, size: Size) -> Intake {
        let work = format!("intake/{}", size.name());
        Intake {
            cpu_us: self.get(&work, "cpu_us"),
            init_ms: self.get(&work, "next_ms"),
            sends: self.calls(&work, "SQS.SendMessage"),
            log_bytes: self.get(&work, "log_bytes"),
        }
    }

    fn processor(&mut self, sink: Sink, batch: Batch, size: Size) -> Processor {
        let work = format!("processor/{}/template/{}/{}", sink.name(), batch.orders(), size.name());
        Processor {
            cpu_us: self.get(&work, "cpu_us"),
            wall_us: self.get(&work, "wall_us"),
            init_ms: self.get(&work, "next_ms"),
            ledger_calls: self.calls(&work, "DynamoDB."),
            puts: self.calls(&work, "S3.PutObject"),
            write_units: self.get(&work, "write_units"),
            read_units: self.get(&work, "read_units"),
            log_bytes: self.get(&work, "log_bytes"),
        }
    }
}

impl Measured {
    /// What the results say of a target.
    ///
    /// # Errors
    /// Figures are missing; all of them are named.
    pub fn of(results: &Results, target: Target) -> Result<Self, Missing> {
        let mut reader = Reader { results, target, missing: Vec::new() };
        let intake = Size::ALL.iter().map(|&size| (size, reader.intake(size))).collect();
        let mut works: Vec<_> =
            Size::ALL.iter().flat_map(|&size| [(Sink::Http, Batch::Ten, size), (Sink::S3, Batch::Ten, size)]).collect();
        works.extend([(Sink::Http, Batch::One, Size::Middle), (Sink::S3, Batch::One, Size::Middle)]);
        let processor = works.iter().map(|&work| (work, reader.processor(work.0, work.1, work.2))).collect();
        let (mut unkept_write_units, mut number_units) = (BTreeMap::new(), 0.0);
        if target == Target::Ordersync {
            for size in Size::ALL {
                let work = format!("processor/http/template/10/{}/until-exported", size.name());
                unkept_write_units.insert(size, reader.get(&work, "write_units"));
            }
            let work = "processor/http/template/10/10k";
            let with_number = reader.get(work, "write_units");
            number_units = (with_number - reader.get(&format!("{work}/number-is-id"), "write_units")).max(0.0);
        }
        if reader.missing.is_empty() {
            Ok(Self { intake, processor, unkept_write_units, number_units })
        } else {
            Err(Missing(reader.missing))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Made by hand so that sums can be checked by hand: no figure in it was measured.
    pub(crate) fn hand_made() -> Results {
        serde_json::from_str(include_str!("hand_made_results.json")).unwrap()
    }

    pub(crate) fn measured(target: Target) -> Measured {
        Measured::of(&hand_made(), target).unwrap()
    }

    #[test]
    fn figures_are_read_by_work_and_metric() {
        let measured = measured(Target::Ordersync);
        let intake = measured.intake[&Size::Middle];
        assert_eq!((intake.cpu_us, intake.sends), (280.0, 1.0));
        let batch = measured.processor[&(Sink::S3, Batch::Ten, Size::Middle)];
        assert_eq!((batch.puts, batch.write_units), (1.0, 5.0));
        assert!(measured.processor[&(Sink::Http, Batch::Ten, Size::Middle)].puts.abs() < 1e-9);
        assert_eq!((measured.unkept_write_units[&Size::Middle], measured.number_units), (3.0, 1.0));
    }

    #[test]
    fn every_figure_that_is_missing_is_named() {
        let mut results = hand_made();
        let gone = |figure: &crate::results::Figure| {
            figure.target == Target::Ordersync
                && (figure.metric == "log_bytes" && figure.work == "intake/2k"
                    || figure.metric.starts_with("calls/") && figure.work == "processor/s3/template/1/10k")
        };
        results.0.retain(|figure| !gone(figure));
        let missing = Measured::of(&results, Target::Ordersync).unwrap_err();
        let expected = ["ordersync intake/2k: log_bytes", "ordersync processor/s3/template/1/10k: calls/…"];
        assert_eq!(missing.0, expected);
        assert!(missing.to_string().contains("make bench"), "{missing}");
        assert!(Measured::of(&Results::default(), Target::Node).unwrap_err().0.len() > 50);
    }
}
