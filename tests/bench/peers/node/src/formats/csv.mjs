// A line for each item, in the merchant's columns.
import { stringify } from "csv-stringify/sync";
import columns from "bench-work/columns.json";

export const mediaType = "text/csv; charset=utf-8";
export const extension = "csv";

const header = columns.map((column) => column.header);
const paths = columns.map((column) => column.value.split("."));

export function render(order) {
  const lines = order.items.map((item) => paths.map((path) => guarded(at({ order, item }, path))));
  // Of line breaks, the library would quote only the one that ends a line.
  return stringify([header, ...lines], { record_delimiter: "windows", quoted_match: /[\r\n]/ });
}

function at(root, path) {
  const value = path.reduce((from, name) => from[name], root);
  return value === null ? "" : String(value);
}

// A spreadsheet takes such a text for a formula, unless it is a plain number.
function guarded(text) {
  return /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+([.,]\d+)?$/.test(text) ? `'${text}` : text;
}
