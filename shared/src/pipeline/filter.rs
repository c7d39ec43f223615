//! Filters: which orders a pipeline takes.
