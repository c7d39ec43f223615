//! Names of fields that hold personal data. Pure.

/// What a field is by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// It says something of a person.
    Personal,
    /// It is a person or an address, where it is a structure: all in it says something of them.
    Person,
    /// It does not.
    Other,
}

/// Of a person, wherever they stand in a name.
const ANYWHERE: [&str; 17] = [
    "email",
    "phone",
    "firstname",
    "lastname",
    "surname",
    "givenname",
    "familyname",
    "fullname",
    "middlename",
    "street",
    "postcode",
    "postalcode",
    "iban",
    "birth",
    "cardnumber",
    "useragent",
    "cardholder",
];
/// Of a person, as the whole name or as its end.
const AT_THE_END: [&str; 27] = [
    "mail",
    "fax",
    "mobile",
    "zip",
    "zipcode",
    "city",
    "company",
    "vatid",
    "vatnumber",
    "taxid",
    "taxnumber",
    "dob",
    "ip",
    "ipaddress",
    "remoteip",
    "address1",
    "address2",
    "addressline1",
    "addressline2",
    "addressline",
    "latitude",
    "longitude",
    "comment",
    "customernote",
    "customername",
    "companyname",
    "username",
];
/// Of a person, as the whole name only.
const ALONE: [&str; 9] = ["note", "notes", "line1", "line2", "tel", "message", "comments", "salutation", "buyername"];
/// Persons and addresses, where they are structures.
const PERSONS: [&str; 13] = [
    "customer",
    "billing",
    "shipping",
    "billto",
    "shipto",
    "buyer",
    "recipient",
    "contact",
    "consignee",
    "clientdetails",
    "ordercustomer",
    "noteattributes",
    "metadata",
];
/// What says nothing of anybody, though it is of a person.
const HARMLESS: [&str; 8] =
    ["country", "countrycode", "countryid", "countryiso2", "currency", "currencycode", "locale", "lang"];

impl Field {
    /// What a field of this name is; case and signs between words do not count.
    pub(crate) fn called(name: &str) -> Self {
        let name = plain(name);
        let is_personal = ANYWHERE.iter().any(|part| name.contains(part))
            || AT_THE_END.iter().any(|end| ends_in(&name, end))
            || ALONE.contains(&name.as_str());
        let is_person = PERSONS.contains(&name.as_str()) || name.ends_with("address") || name.ends_with("addresses");
        match (is_person, is_personal) {
            (true, _) => Self::Person,
            (false, true) => Self::Personal,
            (false, false) => Self::Other,
        }
    }
}

/// Whether a field says nothing of anybody, though it is one of a person.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&plain(name).as_str())
}

/// Short words are names by themselves only: `ship` ends in `ip`.
fn ends_in(name: &str, end: &str) -> bool {
    if end.len() < 4 {
        name == end || name == format!("client{end}") || name == format!("browser{end}")
    } else {
        name.ends_with(end)
    }
}

fn plain(name: &str) -> String {
    // What an XML name has before its colon is not part of what it says.
    let name = name.rsplit(':').next().unwrap_or(name);
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a text has an e-mail address in it.
pub(super) fn is_address(text: &str) -> bool {
    text.split(|char: char| char.is_whitespace() || "<>,;\"'()".contains(char)).any(|word| {
        word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.trim_matches('.').contains('.'))
    })
}
