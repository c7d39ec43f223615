//! Orders that share an object with others.

use super::*;

const PACK: &str = "packs/2026-03-01/a.jsonl";
/// The entries of the orders 1, 2 and 3, whose parts are 4 bytes long each.
const ONE: &str = "Z8SfoMCxjYAAAE";
const TWO: &str = "6_DRrIYzVLAAAE";
const THREE: &str = "0IaqvoqznfAAAE";

/// Three orders in one object, of which the first says that it was exported and the second does not know.
fn packed(world: &mut World) {
    let place = format!("s3://stack/{PACK}");
    world.row("1", "lake", "exported", &[("destination", &place)]);
    world.row("2", "lake", "error", &[("pack", &place)]);
    world.row("3", "lake", "exported", &[("destination", &place)]);
    world.pack(PACK, &[ONE, TWO, THREE].concat(), "\"1\"\n\"2\"\n\"3\"\n");
}

fn erasing(order: &str) -> Value {
    json!({ "erase": { "shop": "acme", "order": order } })
}

#[tokio::test(start_paused = true)]
async fn an_order_is_taken_out_of_the_object_that_it_shares() {
    let world = Shared::default();
    world.with(packed);
    for (order, objects, packs, left) in
        [("1", 1, 1, Some("\"2\"\n\"3\"\n")), ("2", 1, 1, Some("\"3\"\n")), ("3", 1, 0, None)]
    {
        let answer = erase(&world, erasing(order)).await;
        let receipt = &answer["receipt"];
        assert_eq!(
            (&receipt["complete"], &receipt["rows"], &receipt["objects"], &receipt["packs"]),
            (&json!(true), &json!(1), &json!(objects), &json!(packs)),
            "{order}: {answer}"
        );
        world.with(|world| {
            assert_eq!(world.text(PACK).as_deref(), left, "{order}");
            let versions = world.versions().iter().filter(|version| version.starts_with(PACK)).count();
            assert_eq!(versions, usize::from(left.is_some()), "no older version has it");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_object_is_written_before_its_versions_and_the_row_go() {
    let world = Shared::default();
    world.with(|world| {
        packed(world);
        world.refuse.insert(PACK.into(), (99, "AccessDenied"));
    });
    let answer = erase(&world, erasing("1")).await;
    assert_eq!((&answer["receipt"]["failed"], &answer["receipt"]["rows"]), (&json!(1), &json!(0)), "{answer}");
    world.with(|world| {
        assert_eq!(world.text(PACK).as_deref(), Some("\"2\"\n\"3\"\n"));
        assert!(world.left().contains(&"acme#1 lake exported".to_owned()), "by which the version is found again");
        world.refuse.clear();
    });
    let answer = erase(&world, erasing("1")).await;
    assert_eq!((&answer["receipt"]["complete"], &answer["receipt"]["packs"]), (&json!(true), &json!(0)), "{answer}");
    world.with(|world| {
        let versions = world.versions();
        assert_eq!(versions.iter().filter(|version| version.starts_with(PACK)).count(), 1, "{versions:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn two_erasures_at_once_both_take_out_their_order() {
    let world = Shared::default();
    world.with(|world| {
        packed(world);
        world.after_read = Some(|world| world.pack(PACK, &[ONE, TWO].concat(), "\"1\"\n\"2\"\n"));
    });
    let answer = erase(&world, erasing("1")).await;
    assert_eq!(answer["receipt"]["packs"], json!(1), "{answer}");
    world.with(|world| assert_eq!(world.text(PACK).as_deref(), Some("\"2\"\n")));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_as_it_was_written_is_said_and_left() {
    let world = Shared::default();
    world.with(|world| {
        packed(world);
        world.pack(PACK, &[ONE, TWO].concat(), "cut");
    });
    let answer = erase(&world, erasing("1")).await;
    assert_eq!((&answer["receipt"]["failed"], &answer["receipt"]["rows"]), (&json!(1), &json!(0)), "{answer}");
    world.with(|world| assert_eq!(world.text(PACK).as_deref(), Some("cut")));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_the_order_was_never_put_into_is_left_alone() {
    let world = Shared::default();
    world.with(|world| {
        world.row("1", "lake", "error", &[("pack", &format!("s3://stack/{PACK}"))]);
        world.pack(PACK, &[TWO, THREE].concat(), "\"2\"\n\"3\"\n");
    });
    let answer = erase(&world, erasing("1")).await;
    assert_eq!((&answer["receipt"]["complete"], &answer["receipt"]["objects"]), (&json!(true), &json!(0)), "{answer}");
    world.with(|world| assert_eq!(world.text(PACK).as_deref(), Some("\"2\"\n\"3\"\n")));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_no_object() {
    let world = Shared::default();
    world.with(packed);
    let mut input = erasing("1");
    input["dry_run"] = json!(true);
    let answer = erase(&world, input).await;
    assert_eq!((&answer["objects"], &answer["packs"]), (&json!(1), &json!(1)), "{answer}");
    world.with(|world| assert_eq!(world.calls, Vec::<String>::new()));
}
