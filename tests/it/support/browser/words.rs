//! Things of a page by what a person calls them.

use std::fmt;

use thirtyfour::By;

/// Something by its words.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    said: String,
    /// Each a way in which it may be made.
    paths: Vec<String>,
}

impl Named {
    fn new(said: String, paths: impl IntoIterator<Item = String>) -> Self {
        Self { said, paths: paths.into_iter().collect() }
    }

    /// The one of the section whose heading begins so.
    pub(crate) fn of(self, heading: &str) -> Self {
        let section = format!("//section[.//h2[starts-with(normalize-space(), {})]]", quoted(heading));
        Self::new(format!("{} of {heading:?}", self.said), self.paths.iter().map(|path| format!("{section}{path}")))
    }

    /// The one of the table's line that begins so.
    pub(crate) fn of_line(self, header: &str) -> Self {
        let line = format!("//tr[th[starts-with(normalize-space(), {})]]", quoted(header));
        Self::new(
            format!("{} of the line {header:?}", self.said),
            self.paths.iter().map(|path| format!("{line}{path}")),
        )
    }

    pub(super) fn by(&self) -> By {
        By::XPath(self.paths.join(" | "))
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

/// A text as `XPath` has it, which knows no escapes.
fn quoted(text: &str) -> String {
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    format!("concat('{}')", text.replace('\'', r#"', "'", '"#))
}

/// A button by its words.
pub(crate) fn button(words: &str) -> Named {
    Named::new(format!("the button {words:?}"), [format!("//button[normalize-space()={}]", quoted(words))])
}

/// A button by the first of its words.
pub(crate) fn button_that_begins(words: &str) -> Named {
    let path = format!("//button[starts-with(normalize-space(), {})]", quoted(words.trim()));
    Named::new(format!("the button {words:?}"), [path])
}

/// A link by its words.
pub(crate) fn link(words: &str) -> Named {
    Named::new(format!("the link {words:?}"), [format!("//a[normalize-space()={}]", quoted(words))])
}

/// A field, box or choice by the words beside it, or by those that are read out.
pub(crate) fn field(label: &str) -> Named {
    let words = quoted(label);
    let field = "*[self::input or self::select or self::textarea]";
    Named::new(
        format!("the field {label:?}"),
        [
            format!("//label[starts-with(normalize-space(), {words})]//{field}"),
            format!("//{field}[@id=//label[normalize-space()={words}]/@for]"),
            format!("//{field}[starts-with(@aria-label, {words})]"),
        ],
    )
}

/// What opens and closes what is below it.
pub(crate) fn summary(words: &str) -> Named {
    Named::new(
        format!("the summary {words:?}"),
        [format!("//summary[starts-with(normalize-space(), {})]", quoted(words))],
    )
}
