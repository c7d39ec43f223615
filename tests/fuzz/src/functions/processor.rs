//! Of the function `processor`.

#[path = "../../../../functions/processor/src/batch.rs"]
pub(crate) mod batch;
