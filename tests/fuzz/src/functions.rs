//! Modules of the functions, which are no libraries: those that read what comes from outside.
#![expect(dead_code, reason = "a function uses what the fuzz targets do not")]

pub(crate) mod cleanup;
pub(crate) mod intake;
pub(crate) mod processor;
pub(crate) mod responses;
