//! Whole runs with a table and queues that are made up: in which order they are written to, and what is left where a
//! call fails. That the table's conditions hold is shown end to end.

mod dead_letters;
mod queueing;
pub(crate) mod world;
