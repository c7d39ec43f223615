//! What targets are given to do: the same input for all, made deterministically from the sample webhooks.

pub mod console;
pub mod input;
pub mod intake;
pub mod orders;
pub mod processor;

use std::fmt;

use self::console::Page;

/// How large the body of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// 2 KB: a webhook that was narrowed down to some fields, with one item.
    Two,
    /// 10 KB: what shops usually send.
    Ten,
    /// 100 KB: a business customer's order of a few dozen to some hundred items.
    Hundred,
}

/// Where the processor takes orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// One object each.
    S3,
    /// One request each.
    Http,
}

/// What the processor makes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The order as it is known.
    Json,
    /// A document of an ERP, by a template.
    Template,
    /// A line for each item.
    Csv,
}

/// What is different from how ordersync comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// Nothing.
    Usual,
    /// The raw order is kept until it is exported, not for as long as the export.
    UntilExported,
    /// Shops whose order number is the order's identifier.
    NumberIsId,
    /// Orders of a batch share an object.
    Packed,
}

/// One piece of work, named as the results name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A webhook to make durable.
    Intake(Size),
    /// A batch of orders to export.
    Processor {
        /// To where.
        transport: Transport,
        /// As what.
        format: Format,
        /// How many.
        batch: usize,
        /// How large each.
        size: Size,
        /// How.
        variant: Variant,
    },
    /// A run of reset-errors over a ledger with so many rows, of which [`MATCHES`] are to be reset.
    ResetErrors(usize),
    /// A page of the console, with so many rows in the ledger, of which [`MATCHES`] are in error.
    Console(Page, usize),
}

/// Rows that reset-errors finds.
pub const MATCHES: usize = 100;

impl Size {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Two, Self::Ten, Self::Hundred];

    /// Bytes of the body.
    pub fn bytes(self) -> usize {
        1024 * match self {
            Self::Two => 2,
            Self::Ten => 10,
            Self::Hundred => 100,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Two => "2k",
            Self::Ten => "10k",
            Self::Hundred => "100k",
        }
    }
}

impl Transport {
    /// Its name, in results and in `TRANSPORT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Http => "http",
        }
    }
}

impl Format {
    /// Its name, in results and in `FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Template => "template",
            Self::Csv => "csv",
        }
    }

    /// What the keys of its objects end in.
    pub fn extension(self) -> &'static str {
        if self == Self::Csv { "csv" } else { "json" }
    }
}

impl Work {
    /// The function that does it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Intake(_) => "intake",
            Self::Processor { .. } => "processor",
            Self::ResetErrors(_) => "reset-errors",
            Self::Console(..) => "console",
        }
    }

    /// Orders in one invocation.
    pub fn orders(self) -> usize {
        match self {
            Self::Intake(_) | Self::Console(..) => 1,
            Self::Processor { batch, .. } => batch,
            Self::ResetErrors(_) => MATCHES,
        }
    }

    /// The size of an order.
    pub fn size(self) -> Size {
        match self {
            Self::Intake(size) | Self::Processor { size, .. } => size,
            Self::ResetErrors(_) | Self::Console(..) => Size::Ten,
        }
    }

    /// Whether only ordersync is asked to do it.
    pub fn is_variant(self) -> bool {
        matches!(self, Self::Processor { variant, .. } if variant != Variant::Usual)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intake(size) => write!(f, "intake/{}", size.name()),
            Self::ResetErrors(rows) => write!(f, "reset-errors/{rows}"),
            Self::Console(page, rows) => write!(f, "console/{}/{rows}", page.name()),
            Self::Processor { transport, format, batch, size, variant } => {
                let variant = match variant {
                    Variant::Usual => "",
                    Variant::UntilExported => "/until-exported",
                    Variant::NumberIsId => "/number-is-id",
                    Variant::Packed => "/packed",
                };
                write!(f, "processor/{}/{}/{batch}/{}{variant}", transport.name(), format.name(), size.name())
            }
        }
    }
}
