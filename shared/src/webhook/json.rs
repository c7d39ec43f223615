//! Reading fields from a platform's JSON document, with the path in every error.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::rc::Rc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::identity::{self, Pointer};
use super::tree::Tree;
use super::{BadOrder, time};
use crate::order::{Extra, Money, MoneyError};

/// More lines than any shop sells in one order: a limit on the work that one webhook can cause.
const MOST_ITEMS: usize = 5_000;

static NOTHING: Tree<'static> = Tree::Null;

/// The body without the byte order mark that some senders put before it.
pub(super) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// A place in the document: what stands there, null where there is nothing, and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Node<'v> {
    value: &'v Tree<'v>,
    way: Way<'v>,
}

/// The way to a place. It is written out for an error only: an order has hundreds of places, and nearly all are as
/// expected.
#[derive(Debug, Clone)]
enum Way<'v> {
    /// To the document as a whole.
    Root,
    /// To where nothing stands below.
    Leaf(Step<'v>),
    /// To where something stands below, whose ways have it in common.
    Branch(Rc<Step<'v>>),
}

impl<'v> Way<'v> {
    fn step(&self) -> Option<&Step<'v>> {
        match self {
            Self::Root => None,
            Self::Leaf(step) => Some(step),
            Self::Branch(step) => Some(step),
        }
    }

    /// As the beginning of another.
    fn shared(&self) -> Option<Rc<Step<'v>>> {
        match self {
            Self::Root => None,
            Self::Leaf(step) => Some(Rc::new(step.clone())),
            Self::Branch(step) => Some(Rc::clone(step)),
        }
    }
}

/// The last step to a place and those before it.
#[derive(Debug, Clone)]
struct Step<'v> {
    before: Option<Rc<Step<'v>>>,
    to: Place<'v>,
}

#[derive(Debug, Clone, Copy)]
enum Place<'v> {
    Key(&'v str),
    Index(usize),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.to) {
            (Some(before), Place::Key(key)) => write!(f, "{before}.{key}"),
            (Some(before), Place::Index(index)) => write!(f, "{before}[{index}]"),
            (None, Place::Key(key)) => f.write_str(key),
            (None, Place::Index(index)) => write!(f, "[{index}]"),
        }
    }
}

impl<'v> Node<'v> {
    /// The document as a whole.
    pub(super) fn root(value: &'v Tree<'v>) -> Self {
        Self { value, way: Way::Root }
    }

    /// What stands under `path`, keys separated by `/`.
    pub(super) fn at(&self, path: &'v str) -> Self {
        let (first, rest) = path.split_once('/').unzip();
        let node = self.child(first.unwrap_or(path));
        rest.into_iter().flat_map(|rest| rest.split('/')).fold(node, |node, key| node.child(key))
    }

    /// What a JSON pointer points at, seen from here.
    pub(super) fn pointer<'p>(&self, pointer: &'p Pointer) -> Node<'p>
    where
        'v: 'p,
    {
        let node: &Node<'p> = self;
        match pointer.tokens() {
            [] => node.clone(),
            [first, rest @ ..] => rest.iter().fold(node.child(first), |node, key| node.child(key)),
        }
    }

    fn child(&self, key: &'v str) -> Self {
        self.step(Place::Key(key), self.value.get(key).unwrap_or(&NOTHING))
    }

    fn step(&self, to: Place<'v>, value: &'v Tree<'v>) -> Self {
        let step = Step { before: self.way.shared(), to };
        let is_branch = matches!(value, Tree::List(_) | Tree::Object(_));
        Self { value, way: if is_branch { Way::Branch(Rc::new(step)) } else { Way::Leaf(step) } }
    }

    fn path(&self) -> String {
        self.way.step().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether nothing stands here: null, or what PHP makes of an empty value.
    pub(super) fn is_blank(&self) -> bool {
        match self.value {
            Tree::Null | Tree::Bool(false) => true,
            Tree::Text(text) => text.trim().is_empty(),
            Tree::List(list) => list.is_empty(),
            Tree::Object(fields) => fields.is_empty(),
            _ => false,
        }
    }

    /// Whether an object with something in it stands here.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.value, Tree::Object(_)) && !self.is_blank()
    }

    /// Whether a list stands here, be it an empty one.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, Tree::List(_))
    }

    /// The error that something else was expected here.
    pub(super) fn bad(&self, expected: &str) -> BadOrder {
        BadOrder { path: self.path(), expected: format!("expected {expected}") }
    }

    /// A text, or a number as its text; nothing where it is blank.
    pub(super) fn text(&self) -> Result<Option<String>, BadOrder> {
        match self.value {
            _ if self.is_blank() => Ok(None),
            Tree::Text(text) => Ok(Some(text.clone().into_owned())),
            Tree::Number(number) => Ok(Some(number.clone())),
            _ => Err(self.bad("a text")),
        }
    }

    /// A text that must be there.
    pub(super) fn required_text(&self) -> Result<String, BadOrder> {
        self.text()?.ok_or_else(|| self.bad("a text that is not empty"))
    }

    /// The platform's identifier of the order, exactly as the intake read it.
    pub(super) fn order_id(&self) -> Result<String, BadOrder> {
        let text = match self.value {
            Tree::Text(text) => Some(text.clone().into_owned()),
            Tree::Number(number) => Some(number.clone()).filter(|text| identity::is_whole_number(text)),
            _ => None,
        };
        text.filter(|text| identity::is_order_id(text)).ok_or_else(|| self.bad(identity::ORDER_ID))
    }

    /// An identifier of something else, such as a customer; zero is how some platforms write none.
    pub(super) fn id(&self) -> Result<Option<String>, BadOrder> {
        Ok(self.text()?.filter(|id| id != "0"))
    }

    /// The first of `keys` that holds a text.
    pub(super) fn first_text(&self, keys: &[&'v str]) -> Result<Option<String>, BadOrder> {
        for key in keys {
            if let Some(text) = self.at(key).text()? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The first of `paths` where something stands, or else the first of them.
    pub(super) fn stated(&self, paths: &[&'v str]) -> Self {
        let mut places = paths.iter().map(|path| self.at(path));
        let first = places.next().unwrap_or_else(|| self.clone());
        if first.is_blank() { places.find(|place| !place.is_blank()).unwrap_or(first) } else { first }
    }

    /// The texts under all `keys`, joined; each may be a list or have several lines.
    pub(super) fn joined(&self, keys: &[&'v str], separator: &str) -> Result<Option<String>, BadOrder> {
        join(keys.iter().map(|key| self.at(key)), separator)
    }

    /// The lines of the texts here, be it one text or a list of them.
    fn lines(&self) -> Result<Vec<String>, BadOrder> {
        let texts = match self.value {
            Tree::List(_) => self.list()?.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?,
            _ => vec![self.text()?],
        };
        let lines = texts.iter().flatten().flat_map(|text| text.lines()).map(str::trim);
        Ok(lines.filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect())
    }

    /// A number, written as one or as a text; nothing where it is blank.
    pub(super) fn decimal(&self) -> Result<Option<Decimal>, BadOrder> {
        let parsed = match self.value {
            _ if self.is_blank() => return Ok(None),
            Tree::Text(text) => text.parse::<Money>(),
            Tree::Number(number) => number.parse(),
            _ => Err(MoneyError::NotANumber),
        };
        parsed.map(|money| Some(money.decimal())).map_err(|error| self.because(&error))
    }

    /// A number that must be there.
    pub(super) fn required_decimal(&self) -> Result<Decimal, BadOrder> {
        self.decimal()?.ok_or_else(|| self.because(&MoneyError::NotANumber))
    }

    /// A number of pieces, without the zeros that some platforms write behind the point.
    pub(super) fn quantity(&self) -> Result<Decimal, BadOrder> {
        self.required_decimal().map(|quantity| quantity.normalize())
    }

    fn because(&self, error: &MoneyError) -> BadOrder {
        BadOrder { path: self.path(), expected: error.to_string() }
    }

    /// A point in time with the offset that was written with it; without one it is UTC.
    pub(super) fn required_moment(&self) -> Result<(Timestamp, String), BadOrder> {
        let text = self.text()?;
        text.as_deref()
            .and_then(time::moment)
            .ok_or_else(|| self.bad("a time such as 2026-01-31T10:00:00+01:00, without an offset it is taken as UTC"))
    }

    /// A point in time that an order can do without: nothing where none can be read.
    pub(super) fn moment(&self) -> Option<Timestamp> {
        let text = self.text().ok().flatten()?;
        time::moment(&text).map(|(at, _)| at)
    }

    /// True or false; nothing where it is neither.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value {
            Tree::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The elements of a list; none where it is missing.
    pub(super) fn list(&self) -> Result<Vec<Self>, BadOrder> {
        match self.value {
            Tree::List(list) => Ok((0..list.len()).map(|index| self.element(index, &list[index])).collect()),
            _ if self.is_blank() => Ok(Vec::new()),
            _ => Err(self.bad("a list")),
        }
    }

    /// The elements of a list, or the values of an object: PHP writes a list with gaps as an object.
    pub(super) fn collection(&self) -> Result<Vec<Self>, BadOrder> {
        match self.value {
            Tree::Object(fields) => Ok(self.values(fields)),
            _ => self.list(),
        }
    }

    /// The values of an object. Of a key given twice the last counts, in the place of the first.
    fn values(&self, fields: &'v [(Cow<'v, str>, Tree<'v>)]) -> Vec<Self> {
        let mut places = HashMap::with_capacity(fields.len());
        let mut values = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            let node = self.step(Place::Key(key), value);
            match places.entry(key) {
                Entry::Occupied(place) => values[*place.get()] = node,
                Entry::Vacant(place) => {
                    place.insert(values.len());
                    values.push(node);
                }
            }
        }
        values
    }

    /// The list of an order's items, which must be there.
    pub(super) fn items(&self) -> Result<Vec<Self>, BadOrder> {
        if self.is_list() { self.at_most_items(self.list()?) } else { Err(self.bad("a list of items")) }
    }

    /// Refuses more items than an order may have.
    pub(super) fn at_most_items(&self, items: Vec<Self>) -> Result<Vec<Self>, BadOrder> {
        if items.len() > MOST_ITEMS { Err(self.bad(&format!("at most {MOST_ITEMS} items"))) } else { Ok(items) }
    }

    fn element(&self, index: usize, value: &'v Tree<'v>) -> Self {
        self.step(Place::Index(index), value)
    }

    /// The name of a line under one of `keys`: one without a name is still a line, its SKU says what was bought.
    pub(super) fn line_name(&self, keys: &[&'v str], sku: Option<&String>) -> Result<String, BadOrder> {
        Ok(self.first_text(keys)?.or_else(|| sku.cloned()).unwrap_or_default())
    }

    /// The fields of this object whose names are not among `known`.
    pub(super) fn extra(&self, known: &[&str]) -> Extra {
        let Tree::Object(fields) = self.value else { return Extra::new() };
        let unknown = fields.iter().filter(|(name, _)| !known.contains(&name.as_ref()));
        unknown.map(|(name, value)| (name.clone().into_owned(), value.to_value())).collect()
    }
}

/// The texts of all nodes, joined; nothing where all are blank.
pub(super) fn join<'v>(nodes: impl Iterator<Item = Node<'v>>, separator: &str) -> Result<Option<String>, BadOrder> {
    let lines: Vec<String> = nodes.map(|node| node.lines()).collect::<Result<Vec<_>, _>>()?.concat();
    Ok(Some(lines.join(separator)).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blanks_are_nothing_in_all_the_ways_of_php() {
        for blank in [json!(null), json!(""), json!("  "), json!([]), json!({}), json!(false)] {
            let tree = Tree::from(&blank);
            assert_eq!(Node::root(&tree).text(), Ok(None), "{blank}");
            assert_eq!(Node::root(&tree).decimal(), Ok(None), "{blank}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() -> Result<(), BadOrder> {
        let document = Tree::parse(br#"{"id":9007199254740993123,"price":16.666666666666668}"#)?;
        assert_eq!(Node::root(&document).at("id").order_id()?, "9007199254740993123");
        assert_eq!(Node::root(&document).at("price").required_decimal()?.to_string(), "16.666666666666668");
        Ok(())
    }

    #[test]
    fn an_error_names_the_path_and_what_was_expected_never_what_was_found() {
        let document = Tree::from(&json!({"order": {"lines": [{"price": "secret"}]}}));
        let price = Node::root(&document).at("order/lines").list().map(|lines| lines[0].at("price").decimal());
        let error = price.and_then(|decimal| decimal).map_err(|error| error.to_string());
        assert_eq!(error, Err("order.lines[0].price: expected a decimal number such as 129.90".to_owned()));
    }

    #[test]
    fn lines_are_joined_from_lists_and_from_texts_with_breaks() {
        for (street, expected) in [
            (json!(["Hafenstraße 7", "Hinterhaus"]), Some("Hafenstraße 7, Hinterhaus")),
            (json!("Hafenstraße 7\nHinterhaus"), Some("Hafenstraße 7, Hinterhaus")),
            (json!(["", null]), None),
            (json!(null), None),
        ] {
            let document = Tree::from(&json!({ "street": street }));
            let joined = Node::root(&document).joined(&["street"], ", ");
            assert_eq!(joined, Ok(expected.map(ToOwned::to_owned)));
        }
    }

    #[test]
    fn a_pointer_follows_keys_indices_and_escapes() {
        let document = Tree::from(&json!({"a/b": [{"c": "found"}]}));
        assert_eq!(Node::root(&document).pointer(&Pointer::new("/a~1b/0/c")).text(), Ok(Some("found".to_owned())));
        assert_eq!(Node::root(&document).pointer(&Pointer::new("/a~1b/1/c")).text(), Ok(None));
    }
}
