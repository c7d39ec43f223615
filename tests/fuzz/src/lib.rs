//! What the fuzz targets do with an input. The binaries in `targets/` hand it inputs that libFuzzer makes up; the tests hand
//! it the seeds, and whatever once broke something. Each target asserts what must be true of any input at all.
#![expect(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "a target fails by panicking")]

pub mod address;
pub mod answer;
pub mod configuration;
pub mod document;
pub mod event;
mod functions;
mod input;
pub mod message;
pub mod payload;
pub mod results;
mod samples;
pub mod template;
pub mod webhook;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its binary and of its folder of regressions.
    pub name: &'static str,
    /// Takes one input, and panics where it finds a defect.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target { name: "webhook", run: webhook::run, seeds: webhook::seeds },
    Target { name: "document", run: document::run, seeds: document::seeds },
    Target { name: "configuration", run: configuration::run, seeds: configuration::seeds },
    Target { name: "template", run: template::run, seeds: template::seeds },
    Target { name: "answer", run: answer::run, seeds: answer::seeds },
    Target { name: "results", run: results::run, seeds: results::seeds },
    Target { name: "message", run: message::run, seeds: message::seeds },
    Target { name: "event", run: event::run, seeds: event::seeds },
    Target { name: "payload", run: payload::run, seeds: payload::seeds },
    Target { name: "address", run: address::run, seeds: address::seeds },
];
