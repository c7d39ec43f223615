//! Which keys an object may have.

/// Prefixes of the stack's own bucket that hold what is not an export.
const RESERVED: [&str; 6] = ["payloads/", "responses/", "config/", "artefacts/", "receipts/", PACKS];
/// Prefix of all objects of many orders in the stack's own bucket: the processor may read what begins so, erasure may
/// change it, and a lifecycle rule removes it.
pub const PACKS: &str = "packs/";
/// S3's limit.
const MOST_BYTES: usize = 1024;

/// Whether an export may have this key. S3 takes nearly any key, but tools that copy a bucket to a file system read
/// empty segments and dots as directions.
pub(super) fn check(key: &str, is_own_bucket: bool) -> Result<(), String> {
    shape(key)?;
    match reserved(key).filter(|_| is_own_bucket) {
        Some(prefix) => {
            Err(format!("the object key begins with {prefix:?}, which ordersync keeps for itself in this bucket"))
        }
        None => Ok(()),
    }
}

/// Whether an object of many orders may have this key, in which its own name `id` must be.
pub(super) fn check_pack(key: &str, is_own_bucket: bool, id: &str) -> Result<(), String> {
    shape(key)?;
    if is_own_bucket && !key.starts_with(PACKS) {
        return Err(format!(
            "the object key does not begin with {PACKS:?}, as all objects of many orders in this bucket do"
        ));
    }
    if key.contains(id) { Ok(()) } else { Err("the object key is without pack.id".into()) }
}

/// What can be said of the key template of a pack before there is an order.
pub(super) fn check_pack_template(template: &str, is_own_bucket: bool) -> Result<(), String> {
    if is_own_bucket && !template.starts_with(PACKS) {
        return Err(format!("in the stack's own bucket keys of objects of many orders begin with {PACKS:?}"));
    }
    check_template(template, false)
}

fn shape(key: &str) -> Result<(), String> {
    let complaint = if key.is_empty() {
        "is empty"
    } else if key.len() > MOST_BYTES {
        "is longer than 1024 bytes"
    } else if key.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        "has an empty segment or one of dots: expected folder/name, without / at either end"
    } else if key.chars().any(char::is_control) {
        "has a control character, perhaps a line break of the template"
    } else {
        return Ok(());
    };
    Err(format!("the object key {complaint}"))
}

/// What can be said of a key template before there is an order: about its text up to the first expression.
pub(super) fn check_template(template: &str, is_own_bucket: bool) -> Result<(), String> {
    let expression = ["{{", "{%", "{#"].iter().filter_map(|begin| template.find(begin)).min();
    let Some(at) = expression else { return check(template, is_own_bucket) };
    let literal = template.get(..at).unwrap_or_default();
    // What follows the last slash goes on in the expression; a leading dot or nothing at all may become a name.
    let whole_segments = literal.rsplit_once('/').map(|(segments, _)| format!("{segments}/x"));
    whole_segments.map_or(Ok(()), |key| check(&key, is_own_bucket))
}

fn reserved(key: &str) -> Option<&'static str> {
    RESERVED.into_iter().find(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_that_lead_elsewhere_are_refused() {
        for (key, own, other) in [
            ("orders/2026/1001.json", true, true),
            ("1001.json", true, true),
            ("orders/…/Jörg 1001.json", true, true),
            ("orders/...", true, true),
            ("responses.json", true, true),
            ("Responses/1001", true, true),
            ("responses/1001", false, true),
            ("payloads/x", false, true),
            ("config/ordersync.toml", false, true),
            ("artefacts/x", false, true),
            ("receipts/erasure/x", false, true),
            ("packs/x", false, true),
            ("", false, false),
            ("/orders/1001", false, false),
            ("orders//1001", false, false),
            ("orders/", false, false),
            ("orders/./1001", false, false),
            ("orders/../config/ordersync.toml", false, false),
            ("..", false, false),
            ("orders/1001\n", false, false),
        ] {
            assert_eq!(check(key, true).is_ok(), own, "{key:?} in the own bucket");
            assert_eq!(check(key, false).is_ok(), other, "{key:?} in another bucket");
        }
        assert!(check(&"x".repeat(1024), true).is_ok());
        assert!(check(&"é".repeat(513), true).is_err());
    }

    #[test]
    fn the_beginning_of_a_template_is_judged_at_load() {
        for (template, expected) in [
            ("orders/{{ order.number }}.json", true),
            ("{{ order.shop }}/{{ order.number }}.json", true),
            (".{{ order.number }}", true),
            ("pay{{ order.number }}", true),
            ("same-for-every-order.json", true),
            ("{% if order.payment.paid %}paid/{% endif %}{{ order.number }}", true),
            ("responses/{{ order.number }}.json", false),
            ("config/{# the stack's own #}x", false),
            ("/orders/{{ order.number }}", false),
            ("a/../{{ order.number }}", false),
            ("a//{{ order.number }}", false),
            ("payloads/x", false),
            ("", false),
        ] {
            assert_eq!(check_template(template, true).is_ok(), expected, "{template:?}");
        }
        assert_eq!(check_template("responses/{{ order.number }}", false), Ok(()));
    }

    #[test]
    fn keys_of_packs_have_a_prefix_and_a_name_of_their_own() {
        for (key, own, other) in [
            ("packs/2026-03-01/id-1.jsonl", true, true),
            ("orders/2026-03-01/id-1.jsonl", false, true),
            ("packs", false, false),
            ("packs/2026-03-01.jsonl", false, false),
            ("packs//id-1", false, false),
            ("packs/../id-1", false, false),
        ] {
            assert_eq!(check_pack(key, true, "id-1").is_ok(), own, "{key:?} in the own bucket");
            assert_eq!(check_pack(key, false, "id-1").is_ok(), other, "{key:?} in another bucket");
        }
        for (template, own, other) in [
            ("packs/{{ pack.id }}", true, true),
            ("lake/{{ pack.id }}", false, true),
            ("{{ order.shop }}/{{ pack.id }}", false, true),
            ("packs//{{ pack.id }}", false, false),
        ] {
            assert_eq!(check_pack_template(template, true).is_ok(), own, "{template:?} in the own bucket");
            assert_eq!(check_pack_template(template, false).is_ok(), other, "{template:?} in another bucket");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_key_stays_below_its_folder(key: String) {
            if check(&key, true).is_ok() {
                let path = std::path::Path::new(&key);
                prop_assert!(path.is_relative());
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
            prop_assert_eq!(check_template(&key.replace('{', ""), true).is_ok(), check(&key.replace('{', ""), true).is_ok());
        }
    }
}
