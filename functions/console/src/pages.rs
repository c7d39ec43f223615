//! The pages.

pub(crate) mod audit;
pub(crate) mod configuration;
pub(crate) mod exports;
pub(crate) mod order;
pub(crate) mod overview;
pub(crate) mod search;
pub(crate) mod templates;

/// The main pages, as the beginning of all pages leads to them.
pub(crate) const NAVIGATION: &[(&str, &str)] = &[
    (crate::place::HOME, "Overview"),
    ("exports", "Exports"),
    ("templates", "Templates"),
    ("configuration", "Configuration"),
    ("audit", "Audit log"),
];
