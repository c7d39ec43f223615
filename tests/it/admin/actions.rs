//! Actions: what they do in the ledger and at the receiver, and where they are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ordersync::ledger::Status;
use ordersync_admin::{Action, Bulk, Filter, Kind, Outcome, Selection};

use super::{SHOP, ada, admin, archive, back_office, config, done, erp, refused, status};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

/// All of them in one test, as they share the back office's port.
#[tokio::test]
async fn a_failed_export_is_found_understood_mended_and_exported_again() {
    let stack = Stack::get();
    let is_repaired = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&is_repaired);
    let receiver = back_office(move || known.load(Ordering::Relaxed));
    let admin = admin(&stack);
    for id in ["act-good", "act-bad-1", "act-bad-2", "act-bad-3", "act-bad-4", "act-bad-5"] {
        stack.accept(SHOP, &generic(&order(id))).await;
    }
    for id in ["act-bad-1", "act-bad-2", "act-bad-3", "act-bad-4", "act-bad-5"] {
        stack.export(SHOP, id, "admin-erp", Status::Error).await;
    }
    stack.export(SHOP, "act-good", "admin-erp", Status::Exported).await;

    // Found by its number, and understood.
    let found = admin.search(&[], "N-act-bad-1").await.unwrap();
    let view = admin.order(&found[0].order).await.unwrap();
    let export = view.exports.iter().find(|export| export.row.key == erp("act-bad-1")).unwrap();
    let attempt = export.history.last().unwrap();
    assert!(attempt.error.as_deref().unwrap().contains("422"), "{attempt:?}");
    let response = attempt.response.as_deref().unwrap();
    assert!(response.contains("no such sku") && !response.contains("it@example.com"), "{response}");
    assert!(export.actions.iter().all(|offer| offer.refused.is_none()), "{:?}", export.actions);

    // Tried at once: still refused, and that is told.
    let tried = done(&admin, Action::ExportNow, &erp("act-bad-1")).await;
    assert_eq!((status(&tried), tried.is_exported(), tried.is_queued), (Some(Status::Error), false, false));
    assert_eq!(receiver.about("act-bad-1").len(), 2);

    is_repaired.store(true, Ordering::Relaxed);
    let tried = done(&admin, Action::ExportNow, &erp("act-bad-1")).await;
    let row = tried.export.as_ref().unwrap();
    assert_eq!((row.status, row.external_id.as_deref()), (Status::Exported, Some("SO-act-bad-1")));
    assert_eq!(receiver.about("act-bad-1").len(), 3);
    let keys = receiver.about("act-bad-1").iter().map(|request| request.key().to_owned()).collect::<Vec<_>>();
    assert_eq!(keys, ["it-admin:act-bad-1:admin-erp"; 3]);
    let history = stack.row(SHOP, "act-bad-1", "admin-erp").await.unwrap().history;
    assert_eq!(history.len(), 3, "every attempt is on record");

    // Reset: it goes through the queue.
    let reset = done(&admin, Action::Reset, &erp("act-bad-2")).await;
    assert!(reset.is_queued, "{reset:?}");
    let row = stack.export(SHOP, "act-bad-2", "admin-erp", Status::Exported).await;
    assert_eq!((row.attempts, row.resets), (1, 0));

    // What was exported is delivered again, under the same key.
    done(&admin, Action::ExportNow, &erp("act-good")).await;
    assert_eq!(receiver.about("act-good").len(), 2);

    // Cancelled and skipped: no webhook of the order brings it back, a reset does.
    let canceled = done(&admin, Action::Cancel, &erp("act-bad-3")).await;
    assert_eq!(status(&canceled), Some(Status::Canceled));
    let skipped = done(&admin, Action::Skip, &erp("act-bad-4")).await;
    assert_eq!(status(&skipped), Some(Status::Skipped));
    for id in ["act-bad-3", "act-bad-4"] {
        stack.accept(SHOP, &generic(&order(id))).await;
        assert_eq!(refused(&admin, Action::Cancel, &erp(id)).await.kind, Kind::Refused);
    }
    // Their webhooks are done when one that was sent later is.
    stack.accept(SHOP, &generic(&order("act-later"))).await;
    stack.export(SHOP, "act-later", "admin-erp", Status::Exported).await;
    for id in ["act-bad-3", "act-bad-4"] {
        assert_eq!(receiver.about(id).len(), 1, "{id}");
        let again = done(&admin, Action::ExportNow, &erp(id)).await;
        assert!(again.is_exported(), "{again:?}");
    }

    // Deleted: the next webhook begins it anew.
    let deleted = done(&admin, Action::Delete, &erp("act-bad-5")).await;
    assert_eq!((deleted.export, stack.row(SHOP, "act-bad-5", "admin-erp").await), (None, None));
    assert_eq!(refused(&admin, Action::Delete, &erp("act-bad-5")).await.kind, Kind::NotFound);
    stack.accept(SHOP, &generic(&order("act-bad-5"))).await;
    stack.export(SHOP, "act-bad-5", "admin-erp", Status::Exported).await;

    bulk_and_audit(&stack).await;
}

async fn bulk_and_audit(stack: &Stack) {
    let admin = admin(stack);
    let filter = Filter { shop: Some(SHOP.into()), pipeline: Some("admin-archive".into()), ..Filter::default() };
    let mut bulk = Bulk {
        action: Action::Reset,
        selection: Selection::Filter(filter),
        dry_run: true,
        limit: Some(3),
        cursor: None,
    };
    let before = stack.row(SHOP, "act-good", "admin-archive").await.unwrap();
    let (mut would, mut calls) = (0, 0);
    loop {
        let report = admin.bulk(&ada(), &bulk).await.unwrap();
        assert!(report.dry_run && report.exports.len() <= 3);
        (would, calls) = (would + report.done, calls + 1);
        bulk.cursor = report.cursor;
        if bulk.cursor.is_none() {
            break;
        }
    }
    assert!(would >= 7 && calls >= 3, "{would} in {calls}");
    assert_eq!(stack.row(SHOP, "act-good", "admin-archive").await.unwrap(), before, "a dry run changes nothing");

    let keys = vec![archive("act-good"), archive("act-bad-1"), erp("nobody")];
    let bulk = Bulk { selection: Selection::Keys(keys), dry_run: false, cursor: None, ..bulk };
    let report = admin.bulk(&ada(), &bulk).await.unwrap();
    assert_eq!((report.done, report.refused, report.failed), (2, 1, 0), "{report:?}");
    let refused = report.exports.iter().find(|single| single.outcome == Outcome::Refused).unwrap();
    assert_eq!(
        (&refused.key, refused.note.as_deref()),
        (&erp("nobody"), Some("there is no export it-admin:nobody:admin-erp"))
    );
    stack.export(SHOP, "act-bad-1", "admin-archive", Status::Exported).await;

    // Everything is in the audit log, newest first: what was done, and what was not.
    let (mut entries, mut cursor) = (Vec::new(), None);
    loop {
        let page = admin.audited(Some(5), cursor.as_deref()).await.unwrap();
        entries.extend(page.entries);
        cursor = page.cursor;
        if cursor.is_none() || entries.len() >= 400 {
            break;
        }
    }
    assert!(entries.is_sorted_by(|newer, older| newer.at >= older.at));
    let about = |what: &str| {
        let of = entries.iter().filter(|entry| entry.what == what && entry.who == ada());
        of.map(|entry| (entry.action.as_str(), entry.is_done)).collect::<Vec<_>>()
    };
    assert_eq!(about("it-admin:act-bad-5:admin-erp"), [("delete", false), ("delete", true)]);
    assert_eq!(about("it-admin:act-bad-1:admin-erp"), [("export-now", true), ("export-now", true)]);
    assert_eq!(about("it-admin:nobody:admin-erp"), [("reset", false)]);
    views(stack).await;
}

/// What came and what went is looked at, personal data hidden until it is revealed, which is noted.
async fn views(stack: &Stack) {
    let (admin, config) = (admin(stack), config());
    let key = archive("act-good");
    let masked = admin.payload(Some(&config), &key, None).await.unwrap();
    assert!(masked.webhook.is_masked && !masked.webhook.text.contains("it@example.com"), "{masked:?}");
    assert!(masked.webhook.text.contains("N-act-good") && masked.order.unwrap().text.contains("129.90"));
    let open = admin.payload(Some(&config), &key, Some(&ada())).await.unwrap();
    assert!(open.webhook.text.contains("it@example.com") && open.order.unwrap().text.contains("it@example.com"));
    let object = admin.artefact(Some(&config), &key, Some(&ada())).await.unwrap();
    assert_eq!(
        object.from,
        ordersync_admin::ArtefactFrom::Object(format!("s3://{}/it-admin/act-good.json", stack.bucket))
    );
    assert!(object.document.text.contains("it@example.com"));
    let anew = admin.artefact(Some(&config), &erp("act-good"), None).await.unwrap();
    assert_eq!(anew.from, ordersync_admin::ArtefactFrom::RenderedAnew);
    assert!(anew.document.text.contains("N-act-good"), "{}", anew.document.text);
    let noted = admin.audited(Some(2), None).await.unwrap().entries;
    assert_eq!(
        noted.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(),
        ["reveal-artefact", "reveal-payload"]
    );
}

#[tokio::test]
async fn a_pause_is_seen_and_ended() {
    let stack = Stack::get();
    let admin = admin(&stack);
    let pipeline = Some("it-admin-paused");
    admin.pause(&ada(), pipeline, "the ERP moves").await.unwrap();
    let pause = admin.pauses().await.unwrap().into_iter().find(|pause| pause.pipeline.as_deref() == pipeline).unwrap();
    assert_eq!((pause.is_on, pause.reason.as_deref()), (true, Some("the ERP moves")));
    admin.resume(&ada(), pipeline).await.unwrap();
    let pause = admin.pauses().await.unwrap().into_iter().find(|pause| pause.pipeline.as_deref() == pipeline);
    assert!(pause.is_some_and(|pause| !pause.is_on));
    stack.forget_pause("it-admin-paused").await;
}
