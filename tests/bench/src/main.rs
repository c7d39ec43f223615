//! `bench`: measures, compares with the goals, and writes the documents that say so.

use clap::Parser;

/// Measures the functions beside what a user would pick instead.
#[derive(Debug, Parser)]
enum Command {}

fn main() {
    match Command::parse() {}
}
