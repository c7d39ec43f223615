//! Tests of all platforms together.
