//! `template`: a minijinja template of the merchant's.

use super::{Document, Export, Failure, Format, Packing, media_type};
use crate::config::document::Table;
use crate::config::{Files, value};
use crate::template::{Template, TemplateError};

#[derive(Debug)]
struct TemplateFormat {
    template: Template,
    name: String,
    media_type: String,
}

/// `template`: its file; `media_type`: by the file's extension where not given.
pub(super) fn read(table: Table<'_>, files: &Files) -> Option<Box<dyn Format>> {
    let media_type = table.read("media_type", media_type::read);
    let file = table.required("template");
    table.finish();
    let file = file?;
    let name = file.parse(value::text)?;
    let media_type = media_type.unwrap_or_else(|| media_type::of_template(&name).to_owned());
    let Some(source) = files.get(&name) else {
        file.problem(format!("the template {name:?} is not beside the configuration"));
        return None;
    };
    let compiled = TemplateFormat::compile(name, source, media_type);
    compiled.inspect_err(|error| file.problem(error.to_string())).ok().map(|format| Box::new(format) as Box<dyn Format>)
}

/// A template by itself, with the media type that its name says: for previews.
pub fn by_name(name: &str, source: &str) -> Result<Box<dyn Format>, TemplateError> {
    let media_type = media_type::of_template(name).to_owned();
    TemplateFormat::compile(name.to_owned(), source, media_type).map(|format| Box::new(format) as Box<dyn Format>)
}

impl TemplateFormat {
    fn compile(name: String, source: &str, media_type: String) -> Result<Self, TemplateError> {
        let template = Template::compile(&name, source, media_type::escape(&media_type))?;
        Ok(Self { template, name, media_type })
    }
}

impl Format for TemplateFormat {
    fn render(&self, export: Export<'_>) -> Result<Document, Failure> {
        let rendered = self.template.render(export.order, export.pipeline);
        let text = rendered.map_err(|error| Failure::permanent(error.to_string()))?;
        media_type::check(&self.media_type, &text)
            .map_err(|reason| Failure::permanent(format!("{}: the result is {reason}", self.name)))?;
        Ok(Document { body: text.into_bytes(), media_type: self.media_type.clone(), headers: Vec::new() })
    }

    fn packing(&self) -> Result<Packing, String> {
        media_type::packing(&self.media_type)
    }
}
