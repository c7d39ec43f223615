//! What two texts differ in, line by line.

use similar::{ChangeTag, TextDiff};

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// `come`, `gone`, or `same`; `gap` between two places of change.
    pub(crate) class: &'static str,
    /// `+`, `-` or nothing, for those who do not see colours.
    pub(crate) sign: &'static str,
    pub(crate) text: String,
}

/// The lines that differ, with those around them.
pub(crate) fn lines(live: &str, edited: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(live, edited);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        if !lines.is_empty() {
            lines.push(Line { class: "gap", sign: "", text: "…".to_owned() });
        }
        lines.extend(group.iter().flat_map(|op| diff.iter_changes(op)).map(|change| {
            let (class, sign) = match change.tag() {
                ChangeTag::Insert => ("come", "+"),
                ChangeTag::Delete => ("gone", "-"),
                ChangeTag::Equal => ("same", ""),
            };
            Line { class, sign, text: change.value().trim_end_matches(['\r', '\n']).to_owned() }
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_is_marked_and_the_same_left_out() {
        let live = (1..=20).map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
        let edited = live.replace("\n5\n", "\nfive\n").replace("\n18\n", "\n");
        let lines = lines(&live, &edited);
        let of =
            |class| lines.iter().filter(|line| line.class == class).map(|line| line.text.as_str()).collect::<Vec<_>>();
        assert_eq!((of("come"), of("gone"), of("gap").len()), (vec!["five"], vec!["5", "18"], 1));
        assert!(!of("same").contains(&"10"));
        assert_eq!(super::lines("a\n", "a\n"), []);
    }
}
