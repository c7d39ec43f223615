//! The configuration and its templates, where they lie in S3.

use ordersync::aws;
use ordersync::config::Location;
use ordersync::ledger::Status;
use ordersync_admin::{Admin, Kind, Origin, Sample};

use super::{SHOP, ada, admin, archive};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const NAME: &str = "erp.json.j2";
const DOCUMENT: &str = r#"
[[shops]]
code = "it-admin"
platform = "generic"
secrets = ["it-webhook"]
signature = { header = "X-Signature", prefix = "sha256=" }

[[pipelines]]
code = "admin-erp"
format = { type = "template", template = "erp.json.j2", media_type = "application/json" }
transport = { type = "s3", key = "{{ order.id }}" }
"#;
const FIRST: &str = "{\n  \"reference\": {{ order.number }},\n  \"email\": {{ order.customer.email }}\n}\n";
const SECOND: &str = "{ \"no\": {{ order.number }} }\n";
const BROKEN: &str = "{\n  \"reference\": {{ order.nunber }}\n}\n";

/// An operator whose configuration lies in the bucket.
async fn with_bucket(stack: &Stack, prefix: &str) -> Admin {
    stack.put(&format!("{prefix}ordersync.toml"), DOCUMENT).await;
    stack.put(&format!("{prefix}{NAME}"), FIRST).await;
    let location = Location::from_uri(Some(&format!("s3://{}/{prefix}", stack.bucket)), "".as_ref()).unwrap();
    Admin { source: Some(location.open(&aws::sdk_config().unwrap())), ..admin(stack) }
}

fn webhook() -> Sample {
    Sample::Webhook { shop: SHOP.into(), body: order("tpl-0").to_string() }
}

#[tokio::test]
async fn a_template_is_tried_saved_and_taken_back_and_never_saved_wrong() {
    let stack = Stack::get();
    let admin = with_bucket(&stack, "it-admin-templates/").await;
    let templates = admin.templates().await.unwrap();
    assert_eq!((templates.len(), templates[0].name.as_str(), templates[0].exists), (1, NAME, true));
    assert_eq!(templates[0].pipelines, ["admin-erp"]);

    // Tried against a webhook, and against an order that is kept.
    let check = admin.check_template(NAME, BROKEN, &webhook(), None).await.unwrap();
    assert_eq!((check.problems[0].line, check.document), (Some(2), None), "{:?}", check.problems);
    let check = admin.check_template(NAME, FIRST, &webhook(), None).await.unwrap();
    let document = check.document.unwrap();
    assert!(
        check.problems.is_empty() && document.text.contains("N-tpl-0") && !document.text.contains("it@example.com")
    );
    stack.accept(SHOP, &generic(&order("tpl-1"))).await;
    stack.export(SHOP, "tpl-1", "admin-archive", Status::Exported).await;
    let kept = Sample::Export(archive("tpl-1"));
    let document = admin.check_template(NAME, SECOND, &kept, Some(&ada())).await.unwrap().document.unwrap();
    assert!(document.text.contains("N-tpl-1") && !document.is_masked);

    // Saved only if it is right, and only from the text that was looked at.
    let live = admin.template(NAME).await.unwrap();
    let tag = live.tag.as_deref();
    let wrong = admin.save_template(&ada(), NAME, BROKEN, tag, &webhook()).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.message.starts_with("erp.json.j2:2: ")), (Kind::Invalid, true), "{wrong}");
    assert_eq!(admin.template(NAME).await.unwrap(), live);
    let saved = admin.save_template(&ada(), NAME, SECOND, tag, &webhook()).await.unwrap();
    assert_eq!(admin.template(NAME).await.unwrap().text, SECOND);
    let late = admin.save_template(&ada(), NAME, FIRST, tag, &webhook()).await.unwrap_err();
    assert_eq!(late.kind, Kind::Conflict, "{late}");
    let unnamed = admin.save_template(&ada(), "other.j2", FIRST, None, &webhook()).await.unwrap_err();
    assert_eq!(unnamed.kind, Kind::NotFound, "{unnamed}");

    // Taken back.
    let versions = admin.template_versions(NAME).await.unwrap();
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert!(versions[0].is_live && Some(&versions[0].version) == saved.version.as_ref(), "{versions:?}");
    let first = &versions[1].version;
    assert_eq!(admin.template_version(NAME, first).await.unwrap(), FIRST);
    admin.roll_back_template(&ada(), NAME, first, saved.tag.as_deref(), &webhook()).await.unwrap();
    assert_eq!(admin.template(NAME).await.unwrap().text, FIRST);
    let entries = admin.audited(Some(400), None).await.unwrap().entries;
    let of_template =
        entries.iter().filter(|entry| entry.what == NAME).map(|entry| (entry.action.as_str(), entry.is_done));
    let expected =
        [("roll-back-template", true), ("save-template", false), ("save-template", true), ("save-template", false)];
    assert_eq!(of_template.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_configuration_is_shown_with_its_lines_and_its_problems_and_a_bundled_one_is_not_changed() {
    let stack = Stack::get();
    let bundled = admin(&stack);
    let shown = bundled.configuration().await.unwrap();
    assert!(shown.is_valid && !shown.is_changeable && shown.files == ["erp-order.json.j2"], "{:?}", shown.problems);
    let refused = bundled.save_template(&ada(), "erp-order.json.j2", FIRST, None, &webhook()).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);

    let prefix = "it-admin-configuration/";
    let admin = with_bucket(&stack, prefix).await;
    let shown = admin.configuration().await.unwrap();
    assert!(shown.is_valid && shown.is_changeable);
    let key = shown.settings.iter().find(|setting| setting.path == "pipelines[0].transport.key").unwrap();
    assert_eq!(
        (key.value.as_str(), &key.from),
        ("\"{{ order.id }}\"", &Origin::Line { file: "ordersync.toml".into(), line: 11 })
    );
    assert!(shown.settings.iter().any(|setting| setting.path == "ledger.find_by" && setting.from == Origin::Default));
    stack.put(&format!("{prefix}ordersync.toml"), &DOCUMENT.replace("\"s3\"", "\"ftp\"")).await;
    let wrong = admin.configuration().await.unwrap();
    assert!(!wrong.is_valid && wrong.problems[0].line == 11, "{:?}", wrong.problems);
}
