//! Amounts of money in the order's currency.

use rust_decimal::Decimal;

use super::BadOrder;
use super::json::Node;
use crate::order::Money;

/// Currencies whose minor unit is not a hundredth (ISO 4217).
const UNUSUAL: [(&str, u32); 26] = [
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("UYI", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
    ("CLF", 4),
    ("UYW", 4),
];

/// Reads the amounts of one order, all alike: with the currency's decimals, and more only where they say something.
/// Platforms write the same amount as 12.5, "12.50" or "12.5000".
#[derive(Debug, Clone, Copy)]
pub(super) struct Amounts {
    decimals: u32,
}

impl Amounts {
    /// The currency that stands at `node`, and the reader of amounts in it.
    pub(super) fn currency(node: &Node<'_>) -> Result<(String, Self), BadOrder> {
        let fits = |code: &String| (3..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
        let code = node.text()?.map(|code| code.trim().to_ascii_uppercase()).filter(fits);
        let code = code.ok_or_else(|| node.bad("an ISO 4217 currency code such as EUR"))?;
        let decimals = UNUSUAL.iter().find(|(unusual, _)| *unusual == code).map_or(2, |(_, decimals)| *decimals);
        Ok((code, Self { decimals }))
    }

    /// The number as an amount.
    pub(super) fn money(self, value: Decimal) -> Money {
        Money::from(value.normalize()).at_least_decimals(self.decimals)
    }

    /// The amount that stands at `node`; nothing where it is blank.
    pub(super) fn read(self, node: &Node<'_>) -> Result<Option<Money>, BadOrder> {
        Ok(node.decimal()?.map(|value| self.money(value)))
    }

    /// The amount that must stand at `node`.
    pub(super) fn require(self, node: &Node<'_>) -> Result<Money, BadOrder> {
        node.required_decimal().map(|value| self.money(value))
    }

    /// A discount, which some platforms write as a negative amount.
    pub(super) fn discount(self, node: &Node<'_>) -> Result<Option<Money>, BadOrder> {
        Ok(self.read(node)?.map(Money::abs))
    }

    /// The total of a line that does not state it: quantity × unit price − discount.
    pub(super) fn line_total(
        self,
        line: &Node<'_>,
        quantity: Decimal,
        unit_price: Money,
        discount: Option<Money>,
    ) -> Result<Money, BadOrder> {
        let gross = quantity.checked_mul(unit_price.decimal());
        let net = gross.and_then(|gross| gross.checked_sub(discount.unwrap_or_default().decimal()));
        net.map(|net| self.money(net)).ok_or_else(|| line.bad("amounts whose product has at most 28 digits"))
    }
}

/// The sum of what stands under `key` of every node.
pub(super) fn sum(nodes: &[Node<'_>], key: &str) -> Result<Decimal, BadOrder> {
    nodes.iter().try_fold(Decimal::ZERO, |sum, node| {
        let part = node.at(key);
        let value = part.decimal()?.unwrap_or_default();
        sum.checked_add(value).ok_or_else(|| part.bad("amounts whose sum has at most 28 digits"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency_and_lose_no_digit() {
        for (currency, amount, expected) in [
            ("EUR", json!("129.9"), "129.90"),
            ("eur", json!("129.9000"), "129.90"),
            ("EUR", json!(100), "100.00"),
            ("EUR", json!("16.666666666666668"), "16.666666666666668"),
            ("JPY", json!("1500.00"), "1500"),
            ("KWD", json!("1.5"), "1.500"),
            ("USD", json!("-5"), "-5.00"),
            ("USD", json!("0"), "0.00"),
        ] {
            let document = Tree::from(&json!({"currency": currency, "amount": amount}));
            let root = Node::root(&document);
            let read =
                Amounts::currency(&root.at("currency")).and_then(|(_, amounts)| amounts.require(&root.at("amount")));
            assert_eq!(read.map(|money| money.to_string()), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn a_line_without_a_total_gets_one() {
        let line = Tree::from(&json!({"quantity": "2.5", "price": "4", "discount": "-1.5"}));
        let node = Node::root(&line);
        let amounts = Amounts { decimals: 2 };
        let total = amounts.require(&node.at("price")).and_then(|price| {
            let discount = amounts.discount(&node.at("discount"))?;
            amounts.line_total(&node, node.at("quantity").required_decimal()?, price, discount)
        });
        assert_eq!(total.map(|money| money.to_string()), Ok("8.50".to_owned()));
    }
}
