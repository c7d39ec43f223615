//! One conditional write, put together attribute by attribute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::keys::{Item, primary};
use super::{ExportKey, Ledger, LedgerError, Row};

/// A change of one row: what is set and removed, and the state that it expects.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    condition: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

/// What became of a change.
#[derive(Debug)]
pub(super) enum Changed {
    /// It was made.
    Done,
    /// The row is not in the state that the change expects; the row as it is.
    Refused(Option<Box<Row>>),
}

impl Change {
    /// Sets an attribute.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let place = self.value(name, value);
        let name = self.name(name);
        self.set.push(format!("{name} = {place}"));
        self
    }

    /// Sets an attribute, or removes it where there is no value.
    pub(super) fn set_or_remove(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(&[name]),
        }
    }

    /// Sets an attribute unless it has a value.
    pub(super) fn set_once(mut self, name: &str, value: AttributeValue) -> Self {
        let place = self.value(name, value);
        let name = self.name(name);
        self.set.push(format!("{name} = if_not_exists({name}, {place})"));
        self
    }

    /// Removes attributes.
    pub(super) fn remove(mut self, names: &[&str]) -> Self {
        for name in names {
            let name = self.name(name);
            self.remove.push(name);
        }
        self
    }

    /// The state that the change expects. Attributes are written `#name`, values `:name`, given in `values`.
    pub(super) fn expects(mut self, condition: &str, values: &[(&str, AttributeValue)]) -> Self {
        self.names_of(condition);
        for (name, value) in values {
            self.values.insert(format!(":{name}"), value.clone());
        }
        condition.clone_into(&mut self.condition);
        self
    }

    /// What it expects besides.
    pub(super) fn expects_also(mut self, condition: &str, values: &[(&str, AttributeValue)]) -> Self {
        let both = format!("({}) AND {condition}", self.condition);
        self.names_of(condition);
        for (name, value) in values {
            self.values.insert(format!(":{name}"), value.clone());
        }
        self.condition = both;
        self
    }

    fn names_of(&mut self, condition: &str) {
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        for reference in condition.split('#').skip(1) {
            let name: String = reference.chars().take_while(|char| is_word(*char)).collect();
            self.name(&name);
        }
    }

    fn name(&mut self, name: &str) -> String {
        let alias = format!("#{name}");
        self.names.insert(alias.clone(), name.to_owned());
        alias
    }

    fn value(&mut self, name: &str, value: AttributeValue) -> String {
        let place = format!(":set_{name}");
        self.values.insert(place.clone(), value);
        place
    }

    fn expression(&self) -> String {
        let set = (!self.set.is_empty()).then(|| format!("SET {}", self.set.join(", ")));
        let remove = (!self.remove.is_empty()).then(|| format!("REMOVE {}", self.remove.join(", ")));
        set.into_iter().chain(remove).collect::<Vec<_>>().join(" ")
    }

    /// The change as a text that a snapshot can keep.
    #[cfg(test)]
    pub(super) fn describe(&self) -> String {
        let expressions = format!("{} {} ", self.expression(), self.condition);
        let is_used = |name: &str| {
            let mut after =
                expressions.match_indices(name).map(|(at, _)| expressions[at + name.len()..].chars().next());
            after.any(|next| next.is_some_and(|next| !next.is_ascii_alphanumeric() && next != '_'))
        };
        // DynamoDB refuses a request with names or values that no expression uses; emulators do not.
        let unused: Vec<_> = self.names.keys().chain(self.values.keys()).filter(|name| !is_used(name)).collect();
        assert!(unused.is_empty(), "no expression uses {unused:?}");
        let mut values: Vec<_> = self.values.iter().map(|(name, value)| format!("{name} = {}", plain(value))).collect();
        values.sort();
        format!("{}\nIF {}\n{}", self.expression(), self.condition, values.join("\n"))
    }
}

impl Ledger {
    /// Makes a change: one write.
    pub(super) async fn change(&self, key: &ExportKey, change: Change) -> Result<Changed, LedgerError> {
        let expression = change.expression();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary(key)))
            .update_expression(expression)
            .condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Changed::Done),
            Err(failure) => match failure.as_service_error() {
                Some(error) if error.is_conditional_check_failed_exception() => {
                    let item = match error {
                        aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                            refused,
                        ) => refused.item.as_ref(),
                        _ => None,
                    };
                    Ok(Changed::Refused(row(item)?))
                }
                _ => Err(LedgerError::unavailable(&failure)),
            },
        }
    }
}

/// A value with the entries of maps in order.
#[cfg(test)]
fn plain(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let sorted: std::collections::BTreeMap<_, _> =
                map.iter().map(|(name, value)| (name, plain(value))).collect();
            format!("{sorted:?}")
        }
        AttributeValue::L(list) => format!("{:?}", list.iter().map(plain).collect::<Vec<_>>()),
        AttributeValue::S(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn row(item: Option<&Item>) -> Result<Option<Box<Row>>, LedgerError> {
    item.filter(|item| !item.is_empty()).map(|item| Row::from_item(item).map(Box::new)).transpose()
}
