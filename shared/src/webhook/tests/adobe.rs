//! Adobe I/O Events: whose keys, whose events, which order.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivatePkcs1KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::orders::{changed, order};
use super::*;
use crate::webhook::{Event, Rejection, Subject};

const SIGNATURE_1: &str = "x-adobe-digital-signature-1";
const SIGNATURE_2: &str = "x-adobe-digital-signature-2";
const PATH_1: &str = "x-adobe-public-key1-path";
const PATH_2: &str = "x-adobe-public-key2-path";
const CLIENT: &str = "531f2f760000400080000000f1c7f1c7";

fn adobe() -> Arc<dyn Platform> {
    Arc::clone(&sample_platforms()["demo-adobe"])
}

fn sign(padding: &'static dyn RsaEncoding, body: &[u8]) -> String {
    let pem = event_file("adobe-keys-for-tests-only/private-key-for-tests-only.pem");
    let der = PrivatePkcs1KeyDer::from_pem_slice(&pem).expect("PEM");
    let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).expect("an RSA key");
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &SystemRandom::new(), body, &mut signature).expect("a signature");
    STANDARD.encode(signature)
}

fn verify(headers: &[(&str, &str)], keys: &[&str], body: &[u8]) -> Result<(), Rejection> {
    let headers: Headers = headers.iter().copied().collect();
    let keys: Vec<Secret> = keys.iter().map(|key| Secret::new(*key)).collect();
    adobe().verify(webhook(&headers, body), &keys, signed_at())
}

fn recipient(name: &str, client_id: &str) -> Vec<u8> {
    json!({ "type": "x", name: client_id, "data": {} }).to_string().into_bytes()
}

#[test]
fn either_signature_suffices_under_any_of_the_keys() {
    let body = recipient("recipientclientid", CLIENT);
    let (good, key) = (sign(&RSA_PKCS1_SHA256, &body), secret("demo-adobe"));
    let key = key.expose();
    let (pss, sha512) = (sign(&RSA_PSS_SHA256, &body), sign(&RSA_PKCS1_SHA512, &body));
    let unsigned = || Err(Rejection::Unsigned(SIGNATURE_1.to_owned()));
    for (headers, keys, expected) in [
        (&[(SIGNATURE_1, good.as_str())][..], &[key][..], Ok(())),
        (&[(SIGNATURE_2, &good)], &[key], Ok(())),
        (&[(SIGNATURE_1, "%%%"), (SIGNATURE_2, &good)], &["no PEM", key], Ok(())),
        (&[(SIGNATURE_1, "%%%")], &[key], Err(Rejection::BadSignature)),
        (&[(SIGNATURE_1, &good)], &[], Err(Rejection::BadSignature)),
        (&[(SIGNATURE_1, &good)], &["", "no PEM"], Err(Rejection::BadSignature)),
        (&[(SIGNATURE_1, &pss)], &[key], Err(Rejection::BadSignature)),
        (&[(SIGNATURE_1, &sha512)], &[key], Err(Rejection::BadSignature)),
        (&[(SIGNATURE_1, "")], &[key], unsigned()),
        (&[], &[key], unsigned()),
    ] {
        assert_eq!(verify(headers, keys, &body), expected, "{headers:?} {}", keys.len());
    }
}

#[test]
fn an_event_for_somebody_else_is_refused_though_adobe_signed_it() {
    let other = Err(Rejection::OtherRecipient("recipient_client_id"));
    for (body, expected) in [
        (recipient("recipient_client_id", CLIENT), Ok(())),
        (recipient("recipientclientid", CLIENT), Ok(())),
        (recipient("recipient_client_id", "another"), other.clone()),
        (recipient("recipient_client_id", ""), other.clone()),
        (recipient("somebody", CLIENT), other.clone()),
        (format!(r#"{{"data":{{"recipient_client_id":"{CLIENT}"}}}}"#).into_bytes(), other),
    ] {
        let signature = sign(&RSA_PKCS1_SHA256, &body);
        let key = secret("demo-adobe");
        assert_eq!(verify(&[(SIGNATURE_1, &signature)], &[key.expose()], &body), expected);
    }
}

#[test]
fn several_events_at_once_are_refused_with_what_to_do() {
    let body = json!([{ "recipient_client_id": CLIENT }]).to_string().into_bytes();
    let signature = sign(&RSA_PKCS1_SHA256, &body);
    let refused = verify(&[(SIGNATURE_1, &signature)], &[secret("demo-adobe").expose()], &body);
    let identified = adobe().identify(webhook(&Headers::default(), &body)).map(|_| ());
    for result in [refused, identified] {
        let message = result.map_err(|rejection| rejection.to_string());
        assert!(message.as_ref().is_err_and(|message| message.contains("Webhook, not Webhook (batch)")), "{message:?}");
    }
}

#[test]
fn keys_are_fetched_from_adobe_and_from_nowhere_else() {
    let keys = |headers: &[(&str, &str)]| {
        let headers: Headers = headers.iter().copied().collect();
        let body = recipient("recipient_client_id", CLIENT);
        let urls = adobe().public_keys(webhook(&headers, &body));
        urls.map(|urls| urls.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let signed = [(SIGNATURE_1, "AA=="), (SIGNATURE_2, "AA==")];
    let uuid = "/prod/keys/pub-key-0197f1c7-0000-4000-8000-00000000f1c7.pem";
    assert_eq!(
        keys(&[signed[0], signed[1], (PATH_1, uuid), (PATH_2, "/stage/keys/pub-key-lyTiz3gQe4.pem")]),
        Ok(vec![
            format!("https://static.adobeioevents.com{uuid}"),
            "https://static.adobeioevents.com/stage/keys/pub-key-lyTiz3gQe4.pem".to_owned()
        ])
    );
    let one = Ok(vec![format!("https://static.adobeioevents.com{uuid}")]);
    assert_eq!(keys(&[signed[1], (PATH_2, uuid)]), one, "a signature that is not there needs no key");
    let unsigned = |header: &str| Err(Rejection::Unsigned(header.to_owned()));
    assert_eq!(keys(&[(PATH_1, uuid)]), unsigned(SIGNATURE_1));
    assert_eq!(keys(&[signed[0]]), unsigned(PATH_1));
    let long = format!("/prod/keys/{}.pem", "a".repeat(200));
    for path in [
        "//evil.example.com/prod/keys/a.pem",
        "https://evil.example.com/prod/keys/a.pem",
        "@evil.example.com/prod/keys/a.pem",
        "/prod/keys/../../a.pem",
        "/prod/keys/..pem",
        "/prod/keys/%2e%2e/a.pem",
        "/prod/keys/a/b.pem",
        "/prod/keys/a\\b.pem",
        "/prod/keys/a.pem?x=1",
        "/prod/keys/a.pem#.pem",
        "/prod/keys/a.txt",
        "/prod/keys/.pem",
        "/prod/keys/a b.pem",
        "/prod/keys/é.pem",
        "/dev/keys/a.pem",
        "prod/keys/a.pem",
        &long,
    ] {
        let refused = keys(&[signed[0], (PATH_1, path)]);
        assert!(matches!(refused, Err(Rejection::Malformed(_))), "{path}: {refused:?}");
    }
}

#[test]
fn no_key_is_fetched_for_who_does_not_know_whom_events_are_for() {
    let headers = [(SIGNATURE_1, "AA=="), (PATH_1, "/prod/keys/pub-key-guessed.pem")].into_iter().collect();
    let other = Err(Rejection::OtherRecipient("recipient_client_id"));
    let malformed = |keys: &Result<Vec<url::Url>, Rejection>| matches!(keys, Err(Rejection::Malformed(_)));
    let keys = |body: &[u8]| adobe().public_keys(webhook(&headers, body));
    assert_eq!(keys(b"{}"), other);
    assert_eq!(keys(&recipient("recipient_client_id", "another")), other);
    assert!(malformed(&keys(b"no JSON")) && malformed(&keys(b"[]")));
    assert_eq!(keys(&recipient("recipient_client_id", CLIENT)).map(|keys| keys.len()), Ok(1));
}

#[test]
fn other_keys_than_adobes_are_for_tests_only() {
    let document = |keys: &str, allow: &str| {
        format!(
            "[[shops]]\ncode = 'own'\nplatform = 'adobe-io-events'\nclient_id = 'me'\npublic_keys = {keys}\n\
             [egress]\nallow = [{allow}]\n"
        )
    };
    for (keys, allow, expected) in [
        ("'http://127.0.0.1:19560'", "'127.0.0.1:19560'", &[][..]),
        (
            "'https://keys.example.com'",
            "",
            &[
                "ordersync.toml:5: shops[0].public_keys: expected a host and port named in [egress] allow: this key is for tests only",
            ],
        ),
        (
            "'http://127.0.0.1:19560/keys'",
            "'127.0.0.1:19560'",
            &["ordersync.toml:5: shops[0].public_keys: expected scheme, host and port such as http://127.0.0.1:9000, \
               found the string \"http://127.0.0.1:19560/keys\""],
        ),
    ] {
        let (platforms, problems) = platforms_of(&document(keys, allow));
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, expected, "{keys}");
        assert_eq!(platforms.contains_key("own"), expected.is_empty());
    }
    let (platforms, _) = platforms_of(&document("'http://127.0.0.1:19560'", "'127.0.0.1:19560'"));
    let headers: Headers = [(SIGNATURE_1, "AA=="), (PATH_1, "/prod/keys/a.pem")].into_iter().collect();
    let body = recipient("recipient_client_id", "me");
    let urls = platforms["own"].public_keys(webhook(&headers, &body)).expect("a key");
    assert_eq!(urls[0].as_str(), "http://127.0.0.1:19560/prod/keys/a.pem");
}

#[test]
fn a_shop_needs_no_secret_and_the_client_that_it_is() {
    let (_, problems) = platforms_of("[[shops]]\ncode = 'own'\nplatform = 'adobe-io-events'\nsecrets = ['a']\n");
    let problems: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(problems, ["shops[0]", "shops[0].secrets"]);
}

#[test]
fn only_adobes_own_address_is_shown_for_confirmation() {
    let good = "https://csm.adobe.io/csm/registrations/validate?id=1&challenge=2";
    let body = |url: &str| json!({ "validationUrl": url }).to_string();
    let (none, signed): (Headers, Headers) = (Headers::default(), [(SIGNATURE_1, "AA==")].into_iter().collect());
    let long = format!("{good}{}", "x".repeat(500));
    for (headers, body, expected) in [
        (&none, body(good), Some(good)),
        (&signed, body(good), None),
        (&none, body("http://csm.adobe.io/csm"), None),
        (&none, body("https://csm.adobe.io.evil.example.com/"), None),
        (&none, body("https://evil-adobe.io/"), None),
        (&none, body("https://csm.adobe.io@evil.example.com/"), None),
        (&none, body("https://user:password@csm.adobe.io/"), None),
        (&none, body("https://csm.adobe.io:8443/"), None),
        (&none, body("javascript:alert(1)"), None),
        (&none, body(&long), None),
        (&none, json!({ "validationUrl": 7 }).to_string(), None),
        (&none, "{}".to_owned(), None),
    ] {
        let webhook = webhook(headers, body.as_bytes());
        let platform = adobe();
        assert_eq!(platform.confirmation(webhook).map(String::from).as_deref(), expected, "{body}");
        assert_eq!(platform.is_unsigned_ping(webhook), expected.is_some(), "{body}");
    }
    assert_eq!(adobe().challenge_parameter(), Some("challenge"));
}

#[test]
fn a_save_is_an_order_placed_only_if_it_is_the_first() {
    let is_new = |value: Value| vec![("/data/value/_isNew", value)];
    let kind = |name: &str| vec![("/type", json!(name))];
    let unknown = |topic: &str| Err(Rejection::UnknownTopic(topic.to_owned()));
    for (changes, expected) in [
        (is_new(json!(true)), Ok(Event::Placed)),
        (is_new(json!("1")), Ok(Event::Placed)),
        (is_new(json!(false)), Ok(Event::Updated)),
        (is_new(json!(0)), Ok(Event::Updated)),
        (is_new(json!("")), Ok(Event::Updated)),
        (is_new(json!(null)), Ok(Event::Placed)),
        (kind("com.adobe.commerce.observer.sales_order_save_after"), Ok(Event::Placed)),
        (kind("observer.order_cancel_after"), Ok(Event::Canceled)),
        (kind("com.example.order.paid"), Ok(Event::Paid)),
        (kind("com.adobe.commerce.observer.sales_order_creditmemo_save_after"), Ok(Event::Refunded)),
        (
            kind("com.adobe.commerce.observer.sales_order_invoice_save_after"),
            unknown("com.adobe.commerce.observer.sales_order_invoice_save_after"),
        ),
        (
            kind("com.adobe.commerce.observer.catalog_product_save_after"),
            unknown("com.adobe.commerce.observer.catalog_product_save_after"),
        ),
    ] {
        let body = changed("adobe-io-events", &changes);
        let subject = adobe().identify(webhook(&Headers::default(), &body));
        let event = subject.map(|subject| match subject {
            Subject::Order(identity) => identity.event,
            Subject::Ping => panic!("a ping"),
        });
        assert_eq!(event, expected, "{changes:?}");
    }
}

#[test]
fn the_order_is_known_by_what_belongs_to_it() {
    let sample: Value = serde_json::from_slice(&body("adobe-io-events")).expect("JSON");
    let without = |keys: &[&str], more: Value| {
        let mut event = sample.clone();
        let value = event["data"]["value"].as_object_mut().expect("an order");
        value.retain(|key, _| !keys.contains(&key.as_str()));
        value.extend(more.as_object().expect("fields").clone());
        event.to_string().into_bytes()
    };
    let id = |body: &[u8]| match adobe().identify(webhook(&Headers::default(), body)) {
        Ok(Subject::Order(identity)) => Some((identity.order_id, identity.delivery_id)),
        _ => None,
    };
    let known = |id: &str| Some((id.to_owned(), Some("dafb64a8-0000-4000-8000-00000000f1c7".to_owned())));
    for (keys, more, expected) in [
        (&[][..], json!({}), known("35519")),
        (&[], json!({ "entity_id": "8" }), known("8")),
        (&["payment"], json!({}), known("35519")),
        (&["payment", "items"], json!({ "items": [] }), known("35519")),
        (&["payment", "items", "addresses"], json!({ "items": [] }), None),
    ] {
        let body = without(keys, more);
        assert_eq!(id(&body), expected, "{keys:?}");
        let read = adobe().read("demo-adobe", &body).map(|order| order.id);
        assert_eq!(read.ok(), expected.map(|(id, _)| id), "{keys:?}");
    }
    let memo = without(&["payment"], json!({ "order_id": "35519", "entity_id": "7" }));
    assert_eq!(id(&memo), known("35519"));
    let error = adobe().read("demo-adobe", &memo).map_err(|error| error.path);
    assert_eq!(error.err().as_deref(), Some("data.value.order_id"));
}

#[test]
fn an_order_beside_its_cart_and_lists_that_php_wrote_as_objects_are_read() {
    let sample: Value = serde_json::from_slice(&body("adobe-io-events")).expect("JSON");
    let plain = order("adobe-io-events", &[]);
    let mut beside = sample.clone();
    beside["data"]["value"] = json!({ "order": sample["data"]["value"], "quote": { "entity_id": "1" } });
    assert_eq!(adobe().read("demo-adobe", beside.to_string().as_bytes()), Ok(plain.clone()));
    let mut keyed = sample.clone();
    for list in ["items", "addresses"] {
        let elements = sample["data"]["value"][list].as_array().expect("a list").iter().enumerate();
        keyed["data"]["value"][list] =
            elements.map(|(index, element)| (format!("9{index}"), element.clone())).collect();
    }
    assert_eq!(adobe().read("demo-adobe", keyed.to_string().as_bytes()), Ok(plain));
}

#[test]
fn the_store_is_the_orders_else_the_events() {
    for (store, expected) in [(json!("3"), "3"), (json!(null), "2")] {
        assert_eq!(order("adobe-io-events", &[("/data/value/store_id", store)]).store.as_deref(), Some(expected));
    }
}
