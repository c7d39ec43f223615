//! What orders cost: `bench cost` computes `docs/cost.md` from what was measured and the list prices.

pub mod assumed;
pub mod fixed;
pub(crate) mod form;
pub mod hosted;
pub mod levers;
pub mod measured;
pub mod order;
pub mod page;
pub mod prices;

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::results::{self, Results, ResultsError, Target};
use measured::{Measured, Missing};
use page::Page;
use prices::{Prices, PricesError};

/// Compute `docs/cost.md` from the last run and the list prices.
#[derive(Debug, Args)]
pub struct Options {
    /// What was measured.
    #[arg(long, value_name = "FILE", default_value = results::PLACE)]
    results: PathBuf,
    /// The list prices.
    #[arg(long, value_name = "FILE", default_value = prices::PLACE)]
    prices: PathBuf,
    /// The page to write.
    #[arg(long, value_name = "FILE", default_value = "docs/cost.md")]
    page: PathBuf,
}

/// The page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// Nothing was measured.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Too little was measured.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// There are no prices.
    #[error(transparent)]
    Prices(#[from] PricesError),
    /// The page's template is wrong.
    #[error("the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The page cannot be written.
    #[error("{}: {cause}", .file.display())]
    Unwritten {
        /// Which file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Writes the page.
///
/// # Errors
/// Nothing, or too little, was measured; the prices are wrong; the page cannot be written.
pub fn run(options: &Options) -> Result<(), CostError> {
    let results = Results::read(&options.results)?;
    let prices = Prices::read(&options.prices)?;
    let (ours, node) = both(Measured::of(&results, Target::Ordersync), Measured::of(&results, Target::Node))?;
    let text = Page { ours: &ours, node: &node, prices: &prices }.render()?;
    fs::write(&options.page, text).map_err(|cause| CostError::Unwritten { file: options.page.clone(), cause })
}

/// What is missing of either is named at once.
fn both(ours: Result<Measured, Missing>, node: Result<Measured, Missing>) -> Result<(Measured, Measured), Missing> {
    match (ours, node) {
        (Ok(ours), Ok(node)) => Ok((ours, node)),
        (Err(mut ours), Err(node)) => {
            ours.0.extend(node.0);
            Err(ours)
        }
        (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => Err(missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_of_both_is_told_at_once() {
        let nothing = Results::default();
        let of = |target| Measured::of(&nothing, target);
        let missing = both(of(Target::Ordersync), of(Target::Node)).unwrap_err();
        assert!(missing.0.iter().any(|line| line.starts_with("ordersync ")));
        assert!(missing.0.iter().any(|line| line.starts_with("node ")));
    }
}
