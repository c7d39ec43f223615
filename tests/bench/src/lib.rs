//! Measures the release binaries of the functions beside the same work done by others, and computes from what was
//! counted what orders cost and where the limits are.
#![warn(missing_docs)]

pub mod cost;
pub mod gate;
pub mod micro;
pub mod profile;
pub mod report;
pub mod results;
pub mod run;
pub mod sample;
pub mod simulate;
pub mod stand_in;
pub mod work;
