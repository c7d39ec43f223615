// The merchant's template, compiled when the function starts.
import nunjucks from "nunjucks";
import source from "bench-work/erp-order.json.j2";

export const mediaType = "application/json";
export const extension = "json";

const environment = new nunjucks.Environment(null, { autoescape: false });
environment.addFilter("tojson", (value) => JSON.stringify(value ?? null));
// Jinja drops the line break at the end of a template.
const template = new nunjucks.Template(source.replace(/\n$/, ""), environment, "erp-order.json.j2", true);

export function render(order, pipeline) {
  return template.render({ order, pipeline });
}
