//! The description of the API, made of its endpoints and their types (`OpenAPI` 3.1).

use std::sync::LazyLock;

use axum::extract::OriginalUri;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::place::{API, Place};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Anybody,
    Viewer,
    Operator,
}

/// What makes the schema of a type.
type Make = fn(&mut SchemaGenerator) -> Schema;

/// An endpoint.
pub(crate) struct Endpoint {
    method: &'static str,
    path: &'static str,
    what: &'static str,
    access: Access,
    query: Option<Make>,
    body: Option<Make>,
    answer: Option<Make>,
    has_cursor: bool,
}

impl Endpoint {
    pub(crate) fn new(method: &'static str, path: &'static str, what: &'static str, access: Access) -> Self {
        Self { method, path, what, access, query: None, body: None, answer: None, has_cursor: false }
    }

    /// It reads these from its address.
    pub(crate) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(T::json_schema), ..self }
    }

    /// It is sent this.
    pub(crate) fn body<T: JsonSchema>(self) -> Self {
        Self { body: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// It goes on where an earlier page has ended.
    pub(crate) fn in_pages(self) -> Self {
        Self { has_cursor: true, ..self }
    }

    /// It answers this.
    pub(crate) fn answers<T: JsonSchema>(self) -> Self {
        Self { answer: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// Its whole path.
    pub(crate) fn path(&self) -> String {
        format!("{API}{}", self.path)
    }

    fn described(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut described = json!({
            "summary": self.what,
            "operationId": format!("{}{}", self.method, self.path.replace(['/', '{', '}', '-'], "_")),
            "parameters": self.parameters(schemas),
            "responses": self.responses(schemas),
            "security": if self.access == Access::Anybody { json!([]) } else { json!([{ "token": [] }]) },
        });
        if self.access == Access::Operator {
            described["description"] = json!("For operators.");
        }
        if let Some(make) = self.body {
            let content = json!({ "application/json": { "schema": make(schemas) } });
            described["requestBody"] = json!({ "required": true, "content": content });
        }
        described
    }

    fn parameters(&self, schemas: &mut SchemaGenerator) -> Vec<Value> {
        let names = self.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        let in_path = names.map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": "Where it has other signs than letters, digits, `-`, `_` and `.`: `~` and two hexadecimal digits for each byte of UTF-8, as `~2F` for a slash.",
                "schema": { "type": "string", "minLength": 1 },
            })
        });
        let mut parameters: Vec<Value> = in_path.collect();
        let query = self.query.map(|make| make(schemas));
        let required =
            query.as_ref().and_then(|schema| schema.get("required")?.as_array()).cloned().unwrap_or_default();
        let properties = query.as_ref().and_then(|schema| schema.get("properties")?.as_object());
        for (name, schema) in properties.into_iter().flatten() {
            let is_required = required.iter().any(|required| *required == name.as_str());
            parameters.push(json!({ "name": name, "in": "query", "required": is_required, "schema": schema }));
        }
        parameters
    }

    fn responses(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut responses = Map::new();
        if let Some(make) = self.answer {
            let content = json!({ "application/json": { "schema": make(schemas) } });
            responses.insert("200".into(), json!({ "description": "Done.", "content": content }));
        }
        let mut problems = vec![("422", "It is not as expected."), ("503", "AWS does not answer.")];
        problems.push(("401", "There is no valid token."));
        match self.access {
            Access::Anybody => problems.push(("429", "Too many were tried.")),
            Access::Operator => problems.push(("403", "It is for operators.")),
            Access::Viewer => {}
        }
        if self.path.contains('{') || self.has_cursor {
            problems.push(("404", "There is no such thing."));
        }
        if self.access == Access::Operator || self.path.contains('{') {
            problems.push(("409", "Its state does not allow it, or has just changed."));
        }
        if self.body.is_some() {
            problems.push(("400", "The body is no JSON."));
            problems.push(("413", "The body is too large."));
            problems.push(("415", "The body is of another type."));
        }
        for (status, description) in problems {
            let content =
                json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
            responses.insert(status.into(), json!({ "description": description, "content": content }));
        }
        Value::Object(responses)
    }
}

/// The description as it grows.
pub(crate) struct Document {
    schemas: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Document {
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self { schemas: settings.into_generator(), paths: Map::new() }
    }

    pub(crate) fn add(&mut self, endpoint: &Endpoint) {
        let described = endpoint.described(&mut self.schemas);
        let path = self.paths.entry(endpoint.path()).or_insert_with(|| json!({}));
        path[endpoint.method] = described;
    }

    pub(crate) fn finish(mut self) -> Value {
        let mut schemas = self.schemas.take_definitions(true);
        schemas.insert("Problem".into(), json!({
            "description": "What is wrong (RFC 9457).",
            "type": "object",
            "required": ["title", "status", "detail"],
            "properties": { "title": { "type": "string" }, "status": { "type": "integer" }, "detail": { "type": "string" } },
        }));
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "ordersync",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "What happened to each order, and to make it right. All that the console shows and does.",
            },
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            },
        })
    }
}

/// The description, for whoever asks.
pub(crate) async fn serve() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| super::described().to_string());
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], TEXT.as_str())
        .into_response()
}

/// What is no endpoint.
pub(crate) async fn nothing(OriginalUri(uri): OriginalUri) -> Failure {
    Failure::new(&Place::of(&uri), StatusCode::NOT_FOUND, format!("there is no {}: see {API}/openapi.json", uri.path()))
}
