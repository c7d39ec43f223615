//! What becomes of an order that a run takes on.

use ordersync::schedule::Report;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Canceled,
    /// The shop has accepted the cancellation and still works on it.
    Started,
    NotedPaid,
    NotedCanceled,
    /// No rule fits it any more.
    LetGo,
    /// A rule fits it now that only reports.
    WouldCancel,
    /// Somebody else has it, or it was paid meanwhile.
    Held,
    Refused,
    GivenUp,
    /// The shop cannot be reached.
    Unavailable,
    /// The shop does not accept us, or is not what the configuration says.
    Denied,
    Throttled,
}

impl Ended {
    /// Whether more of the same is to be expected of the shop's other orders.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Unavailable | Self::Denied | Self::GivenUp)
    }

    /// Counts it in a report.
    pub(crate) fn count(self, report: &mut Report) {
        match self {
            Self::Canceled => report.changed("canceled", 1),
            Self::Started => report.changed("started", 1),
            Self::NotedPaid => report.changed("noted_paid", 1),
            Self::NotedCanceled => report.changed("noted_canceled", 1),
            Self::LetGo => report.changed("let_go", 1),
            Self::Refused => report.changed("refused", 1),
            Self::WouldCancel => report.skipped("would_cancel", 1),
            Self::Held => report.skipped("taken", 1),
            Self::Unavailable => report.skipped("unavailable", 1),
            Self::Throttled => report.skipped("throttled", 1),
            Self::GivenUp | Self::Denied => report.failed(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_other_orders_would_meet_too_counts_against_the_shop() {
        for (ended, expected) in [
            (Ended::Unavailable, true),
            (Ended::Denied, true),
            (Ended::GivenUp, true),
            (Ended::Refused, false),
            (Ended::Canceled, false),
            (Ended::Held, false),
        ] {
            assert_eq!(ended.is_failure(), expected, "{ended:?}");
        }
    }
}
