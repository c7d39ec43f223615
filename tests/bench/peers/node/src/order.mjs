// From the sender's order to the one that formats and templates see: amounts as exact decimals in text, times in UTC.
import { Big } from "big.js";

// Digits behind the point where they are not two (ISO 4217).
const DECIMALS = Object.fromEntries([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0]),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3]),
  ..."CLF UYW".split(" ").map((code) => [code, 4]),
]);
const NAMED = new Set(
  (
    "id number shop store placed_at utc_offset updated_at currency total subtotal tax discount shipping payment state " +
    "canceled customer billing delivery items note extra"
  ).split(" "),
);

export function readOrder(shop, document) {
  const from = document.data ?? document;
  const currency = required(from.currency, "currency").trim().toUpperCase();
  const amount = (value) => money(value, DECIMALS[currency] ?? 2);
  const placed = required(from.placed_at, "placed_at");
  const state = text(from.state);
  const paymentState = text(from.payment?.state);
  return {
    id: required(from.id, "id"),
    number: required(from.number, "number"),
    shop,
    store: text(from.store),
    placed_at: utc(placed),
    utc_offset: text(from.utc_offset) ?? offset(placed),
    updated_at: isBlank(from.updated_at) ? null : utc(from.updated_at),
    currency,
    total: required(amount(from.total), "total"),
    subtotal: amount(from.subtotal),
    tax: amount(from.tax),
    discount: unsigned(amount(from.discount)),
    shipping: amount(from.shipping),
    payment: {
      method: text(from.payment?.method),
      state: paymentState,
      paid: from.payment?.paid ?? paymentState?.toLowerCase() === "paid",
    },
    state,
    canceled: from.canceled ?? ["canceled", "cancelled"].includes(state?.toLowerCase()),
    customer: texts(from.customer, ["id", "email", "name", "phone"]),
    billing: address(from.billing),
    delivery: address(from.delivery),
    items: from.items.map((line) => item(line, amount)),
    note: text(from.note),
    extra: Object.fromEntries(Object.entries(from).filter(([name]) => !NAMED.has(name))),
  };
}

function item(line, amount) {
  const quantity = new Big(line.quantity);
  const unitPrice = required(amount(line.unit_price), "unit_price");
  const discount = unsigned(amount(line.discount));
  return {
    sku: text(line.sku),
    name: text(line.name) ?? text(line.sku) ?? "",
    quantity: quantity.toNumber(),
    unit_price: unitPrice,
    discount,
    tax: amount(line.tax),
    total: amount(line.total) ?? amount(quantity.times(unitPrice).minus(discount ?? 0).toFixed()),
  };
}

function address(from) {
  const address = texts(from, ["name", "company", "street", "city", "postcode", "region", "country", "phone"]);
  return { ...address, country: address.country?.length === 2 ? address.country.toUpperCase() : address.country };
}

// With the currency's decimals, and more only where they say something.
function money(value, decimals) {
  if (isBlank(value)) return null;
  const amount = new Big(value);
  return amount.toFixed(Math.max(decimals, amount.c.length - 1 - amount.e));
}

function unsigned(amount) {
  return amount?.replace("-", "") ?? null;
}

function utc(time) {
  return new Date(time).toISOString().replace(/\.?0+Z$/, "Z");
}

function offset(time) {
  return /[+-]\d\d:\d\d$/.exec(time)?.[0] ?? "+00:00";
}

function texts(from, names) {
  return Object.fromEntries(names.map((name) => [name, text(from?.[name])]));
}

function text(value) {
  return isBlank(value) ? null : String(value);
}

function isBlank(value) {
  return value === undefined || value === null || value === false || (typeof value === "string" && value.trim() === "");
}

function required(value, name) {
  if (isBlank(value)) throw new Error(`${name}: expected a value`);
  return String(value);
}
