//! The function reset-errors. Its tests run alone, as it looks at the rows and dead letters of all others.

mod crowd;
mod errors;
mod leases;
pub(crate) mod letters;
pub(crate) mod seed;
pub(crate) mod waiting;
