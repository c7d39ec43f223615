//! Postal addresses under the names that a platform gives their parts.

use super::BadOrder;
use super::json::Node;
use crate::order::Address;

/// Where the parts of an address stand: paths from the address.
#[derive(Debug)]
pub(super) struct Parts {
    /// One that holds the whole name, where the platform has it.
    pub(super) full_name: Option<&'static str>,
    /// Those that make up the name.
    pub(super) names: &'static [&'static str],
    pub(super) company: &'static str,
    /// All that make up the street.
    pub(super) street: &'static [&'static str],
    pub(super) city: &'static str,
    pub(super) postcode: &'static str,
    /// The first that holds something counts.
    pub(super) region: &'static [&'static str],
    /// The first that holds something counts.
    pub(super) country: &'static [&'static str],
    pub(super) phone: &'static str,
}

impl Parts {
    /// The address that stands at `node`; its parts are null where it is missing.
    pub(super) fn read(&self, node: &Node<'_>) -> Result<Address, BadOrder> {
        let full_name = self.full_name.map_or(Ok(None), |key| node.at(key).text())?;
        let country = node.first_text(self.country)?;
        Ok(Address {
            name: full_name.map_or_else(|| node.joined(self.names, " "), |name| Ok(Some(name)))?,
            company: node.at(self.company).text()?,
            street: node.joined(self.street, ", ")?,
            city: node.at(self.city).text()?,
            postcode: node.at(self.postcode).text()?,
            region: node.first_text(self.region)?,
            country: country.map(upper_case_code),
            phone: node.at(self.phone).text()?,
        })
    }
}

/// A country's code in upper case; its name, which some platforms give instead, as it is.
pub(super) fn upper_case_code(country: String) -> String {
    if country.len() == 2 { country.to_ascii_uppercase() } else { country }
}
