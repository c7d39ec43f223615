//! The table as `template.yaml` has it: its key, and its indexes with what they project.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Keys and indexes of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Names of the table's key attributes.
    pub key: Vec<String>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Names of its key attributes.
    pub key: Vec<String>,
    /// What else it has of an item; everything where there is no list.
    pub projected: Option<BTreeSet<String>>,
}

/// The template is not as expected.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct SchemaError {
    file: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Template {
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Resource {
    Table(Box<TableResource>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableResource {
    r#type: TableType,
    properties: Properties,
}

#[derive(Deserialize)]
enum TableType {
    #[serde(rename = "AWS::DynamoDB::Table")]
    Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    key_schema: Vec<KeyPart>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPart {
    attribute_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProperties {
    index_name: String,
    key_schema: Vec<KeyPart>,
    projection: Projection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projection {
    projection_type: String,
    #[serde(default)]
    non_key_attributes: BTreeSet<String>,
}

impl Schema {
    /// That of the first table in a template.
    ///
    /// # Errors
    /// The file cannot be read, or has no table.
    pub fn read(template: &Path) -> Result<Self, SchemaError> {
        let failed = |reason: String| SchemaError { file: template.display().to_string(), reason };
        let text = fs::read_to_string(template).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let template: Template = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let mut tables = template.resources.into_values().filter_map(|resource| match resource {
            Resource::Table(table) => Some(*table),
            Resource::Other(_) => None,
        });
        let TableResource { properties, r#type: TableType::Table } = tables.next().ok_or("it has no DynamoDB table")?;
        let indexes = properties.global_secondary_indexes.into_iter().map(Index::from).collect();
        Ok(Self { key: names(properties.key_schema), indexes })
    }
}

impl From<IndexProperties> for Index {
    fn from(properties: IndexProperties) -> Self {
        let is_all = properties.projection.projection_type == "ALL";
        let projected = (!is_all).then_some(properties.projection.non_key_attributes);
        Self { name: properties.index_name, key: names(properties.key_schema), projected }
    }
}

fn names(parts: Vec<KeyPart>) -> Vec<String> {
    parts.into_iter().map(|part| part.attribute_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_template_is_understood() {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let schema = Schema::read(&template).unwrap();
        assert_eq!(schema.key, ["pk", "sk"]);
        let due = schema.indexes.iter().find(|index| index.name == "due").unwrap();
        assert_eq!(due.key, ["due_key", "due_at"]);
        let by_status = schema.indexes.iter().find(|index| index.name == "by-status").unwrap();
        assert!(by_status.projected.as_ref().unwrap().contains("attempts"));
    }

    #[test]
    fn a_template_without_a_table_is_refused() {
        let template = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: { Name: !Ref Name }\n";
        assert_eq!(Schema::parse(template), Err("it has no DynamoDB table".into()));
    }
}
