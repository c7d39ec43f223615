//! What is measured, and how often.

use crate::work::console::Page;
use crate::work::{Format, Size, Transport, Variant, Work};

/// How often each measurement is made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Starts.
    pub cold: usize,
    /// First invocations under a quota, of works of one order.
    pub quota: usize,
    /// Rounds of warm invocations; each is one sample of what is measured over many.
    pub rounds: usize,
    /// Orders of a round.
    pub round_orders: usize,
    /// Most invocations of a round, however small its batches are.
    pub round_invocations: usize,
    /// Most bytes of a round's events, which are all made before it.
    pub round_bytes: usize,
    /// Orders before anything is measured.
    pub warm_up: usize,
    /// Batches with slow services.
    pub slow: usize,
    /// Invocations under strace.
    pub traced: usize,
    /// Whether times are of interest; otherwise only what is counted.
    pub is_timed: bool,
}

impl Plan {
    /// For the documents.
    pub const FULL: Self = Self {
        cold: 21,
        quota: 21,
        rounds: 9,
        round_orders: 400,
        round_invocations: 300,
        round_bytes: 64 << 20,
        warm_up: 600,
        slow: 7,
        traced: 200,
        is_timed: true,
    };
    /// For a developer.
    pub const QUICK: Self = Self {
        cold: 7,
        quota: 5,
        rounds: 5,
        round_orders: 200,
        round_invocations: 150,
        round_bytes: 16 << 20,
        warm_up: 200,
        slow: 3,
        traced: 100,
        is_timed: true,
    };
    /// For the gate, which only looks at what is counted.
    pub const COUNTED: Self = Self {
        cold: 0,
        quota: 0,
        rounds: 1,
        round_orders: 100,
        round_invocations: 50,
        round_bytes: 16 << 20,
        warm_up: 20,
        slow: 0,
        traced: 200,
        is_timed: false,
    };

    /// Invocations of a round of a work.
    pub fn invocations(&self, work: Work) -> usize {
        let by_orders = self.round_orders / work.orders();
        let by_bytes = self.round_bytes / (work.orders() * work.size().bytes());
        by_orders.min(by_bytes).min(self.round_invocations).max(2)
    }

    /// Starts of a work: a batch of a hundred says more about its orders than about the start.
    pub fn starts(&self, work: Work) -> usize {
        if work.orders() > 10 { self.cold.min(7) } else { self.cold }
    }

    /// Invocations before those that are measured.
    pub fn warm_up(&self, work: Work) -> usize {
        (self.warm_up / work.orders()).min(self.invocations(work) * 2).max(2)
    }
}

/// Rows of the ledgers that reset-errors goes through, and that the console shows.
const LEDGERS: [usize; 2] = [1000, 100_000];

/// All work, or what a developer looks at.
pub fn works(is_quick: bool) -> Vec<Work> {
    let processor =
        |transport, format, batch, size| Work::Processor { transport, format, batch, size, variant: Variant::Usual };
    if is_quick {
        return vec![
            Work::Intake(Size::Two),
            Work::Intake(Size::Ten),
            Work::Intake(Size::Hundred),
            processor(Transport::S3, Format::Template, 1, Size::Ten),
            processor(Transport::S3, Format::Template, 10, Size::Ten),
            processor(Transport::Http, Format::Template, 10, Size::Ten),
        ];
    }
    let mut works: Vec<Work> = Size::ALL.map(Work::Intake).into();
    for transport in [Transport::S3, Transport::Http] {
        for format in [Format::Json, Format::Template, Format::Csv] {
            works.extend([1, 10, 100].map(|batch| processor(transport, format, batch, Size::Ten)));
        }
        works.extend([Size::Two, Size::Hundred].map(|size| processor(transport, Format::Template, 10, size)));
    }
    for (size, variant) in
        Size::ALL.map(|size| (size, Variant::UntilExported)).into_iter().chain([(Size::Ten, Variant::NumberIsId)])
    {
        works.push(Work::Processor { transport: Transport::Http, format: Format::Template, batch: 10, size, variant });
    }
    for batch in [10, 100] {
        let (transport, format, size, variant) = (Transport::S3, Format::Template, Size::Ten, Variant::Packed);
        works.push(Work::Processor { transport, format, batch, size, variant });
    }
    works.extend(LEDGERS.map(Work::ResetErrors));
    for page in Page::ALL {
        works.extend(LEDGERS.map(|rows| Work::Console(page, rows)));
    }
    works
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developer_gets_a_part_of_all_work() {
        let (all, quick) = (works(false), works(true));
        assert!(quick.len() < all.len() && quick.iter().all(|work| all.contains(work)));
        let names: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.contains("processor/http/template/10/10k/until-exported"));
    }

    #[test]
    fn rounds_are_bounded_by_orders_invocations_and_bytes() {
        let works = works(false);
        let named = |name: &str| *works.iter().find(|work| work.to_string() == name).unwrap();
        let plan = Plan::FULL;
        assert_eq!(plan.invocations(named("intake/10k")), 300);
        assert_eq!(plan.invocations(named("processor/s3/json/100/10k")), 4);
        assert_eq!(plan.invocations(named("processor/s3/template/10/100k")), 40);
    }
}
