//! Which tasks a run is asked to do. Pure.

use std::collections::BTreeSet;

use ordersync::schedule::BadInput;
use serde_json::{Map, Value};

/// A part of a run. The order is that in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Exports whose time has come, and those of pipelines that go on after a pause.
    Due,
    /// Exports that the back office has not acknowledged in time.
    Acknowledgements,
    /// Exports whose holder stopped without a word.
    Leases,
    /// Exports in error.
    Errors,
    /// Messages that were given up.
    DeadLetters,
}

/// Key of the input that names the tasks.
pub(crate) const ONLY: &str = "only";

impl Task {
    /// Every task with its name in the input.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("due", Self::Due),
        ("acknowledgements", Self::Acknowledgements),
        ("leases", Self::Leases),
        ("errors", Self::Errors),
        ("dead_letters", Self::DeadLetters),
    ];
}

/// The tasks that the input names; nothing where it names none, for a run that does them all.
pub(crate) fn named(input: &Map<String, Value>) -> Result<Option<BTreeSet<Task>>, BadInput> {
    let Some(only) = input.get(ONLY) else { return Ok(None) };
    let task = |name: &Value| {
        let name = name.as_str()?;
        Task::NAMES.iter().find(|(known, _)| *known == name).map(|(_, task)| *task)
    };
    let tasks = only.as_array().and_then(|names| names.iter().map(task).collect::<Option<BTreeSet<_>>>());
    let tasks = tasks.filter(|tasks| !tasks.is_empty()).ok_or_else(|| {
        let known = Task::NAMES.map(|(name, _)| name).join(", ");
        BadInput::new(".only", format!("a list of one or more of {known}"))
    });
    tasks.map(Some)
}

#[cfg(test)]
mod tests {
    use ordersync::schedule::Run;
    use serde_json::json;

    use super::*;

    fn of(input: &Value) -> Result<Option<BTreeSet<Task>>, String> {
        named(input.as_object().unwrap()).map_err(|bad| bad.to_string())
    }

    #[test]
    fn tasks_are_named_one_by_one_and_no_names_are_all() {
        assert_eq!(of(&json!({})), Ok(None));
        assert_eq!(of(&json!({ "only": ["due"] })), Ok(Some(BTreeSet::from([Task::Due]))));
        let both = BTreeSet::from([Task::Leases, Task::DeadLetters]);
        assert_eq!(of(&json!({ "only": ["dead_letters", "leases", "leases"] })), Ok(Some(both)));
    }

    #[test]
    fn the_sample_events_ask_for_what_there_is() {
        for (event, expected) in [
            (include_str!("../../../events/reset-errors.json"), None),
            (include_str!("../../../events/reset-errors-due.json"), Some(BTreeSet::from([Task::Due]))),
        ] {
            let event: Value = serde_json::from_str(event).unwrap();
            assert_eq!(named(&Run::of(&event, 0).unwrap().input), Ok(expected), "{event}");
        }
    }

    #[test]
    fn what_names_no_task_is_told_the_tasks_that_there_are() {
        let expected =
            "input.only: expected a list of one or more of due, acknowledgements, leases, errors, dead_letters";
        for only in [json!(["paused"]), json!(["due", "dues"]), json!([]), json!("due"), json!([1]), json!(null)] {
            assert_eq!(of(&json!({ "only": only })), Err(expected.to_owned()), "{only}");
        }
    }
}
