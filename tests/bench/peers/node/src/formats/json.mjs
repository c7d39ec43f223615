// The order as it is.
export const mediaType = "application/json";
export const extension = "json";

export function render(order) {
  return JSON.stringify(order);
}
