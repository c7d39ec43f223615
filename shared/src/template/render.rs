//! The engine's settings and limits.

use std::io;

use minijinja::value::Value;
use minijinja::{Environment, Output, State, UndefinedBehavior};

use super::amounts::Amounts;
use super::{Escape, TemplateError, error, filters};

/// Steps that a render may take. 1,000 items of 40 lines each, with conditions and calculations, take some 460,000.
const FUEL: u64 = 10_000_000;

/// Macros and loops that call themselves, well within a small stack.
const RECURSION: usize = 100;

/// Bytes that a render may write.
pub(super) const MAX_OUTPUT: usize = 10 * 1024 * 1024;

/// An environment without templates.
pub(super) fn environment(escape: Escape) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    // Without it an undefined value cannot be named in the error.
    environment.set_debug(true);
    environment.set_auto_escape_callback(move |_| escape.auto_escape());
    environment.set_formatter(move |out, state, value| write(out, state, value, escape));
    filters::add(&mut environment, escape);
    environment
}

fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, base: Escape) -> Result<(), minijinja::Error> {
    // Nothing in a key template may switch off what keeps a value within its segment.
    let escape = if base == Escape::ObjectKey { base } else { Escape::of(state) };
    let amounts = Amounts::of(state, value);
    out.write_str(&escape.text(value, amounts.as_deref())?)?;
    Ok(())
}

/// Renders, and stops when the document gets too long.
pub(super) fn capped(template: &minijinja::Template<'_, '_>, root: Value) -> Result<String, TemplateError> {
    let mut out = Capped { bytes: Vec::new(), overflown: false };
    let rendered = template.render_captured_to(root, &mut out).map(|_| ());
    let error =
        |message: &str| TemplateError { name: template.name().to_owned(), line: 1, message: message.to_owned() };
    if out.overflown {
        return Err(error("the document is longer than 10 MiB, perhaps because of an endless loop"));
    }
    rendered.map_err(|failed| error::describe(template.name(), template.source(), &failed))?;
    String::from_utf8(out.bytes).map_err(|_| error("the document is not UTF-8"))
}

struct Capped {
    bytes: Vec<u8>,
    overflown: bool,
}

impl io::Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + chunk.len() > MAX_OUTPUT {
            self.overflown = true;
            return Err(io::Error::other("the document is too long"));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
