"use strict";
// All of this is a convenience: every page does its work without it.

// How long ago a time is, beside the time itself.
function since(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([size]) => Math.abs(seconds) >= size) ?? [1, "second"];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(seconds / size), unit);
}
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.title = `${since(Date.now() - at)}, ${at.toLocaleString()} here`;
}

// One box for all of a page.
const every = document.getElementById("every");
if (every) {
  const boxes = [...document.querySelectorAll("input[name=key]")];
  every.hidden = false;
  every.addEventListener("change", () => { for (const box of boxes) box.checked = every.checked; });
  for (const box of boxes) box.addEventListener("change", () => { every.checked = boxes.every((box) => box.checked); });
}

// A form is sent once: an export that is made while one waits may take seconds.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    addEventListener("pageshow", () => { delete form.dataset.sent; form.removeAttribute("aria-busy"); }, { once: true });
  });
}

// Line numbers, and a preview that follows what is typed.
const editor = document.getElementById("editor");
if (editor) {
  const text = document.getElementById("text");
  const lines = editor.querySelector(".lines");
  const number = () => {
    const bad = new Set([...editor.querySelectorAll(".problems [data-line]")].map((item) => item.dataset.line));
    const count = text.value.split("\n").length;
    lines.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const line = document.createElement(bad.has(String(index + 1)) ? "mark" : "span");
      line.textContent = `${index + 1}\n`;
      return line;
    }));
    lines.scrollTop = text.scrollTop;
    // The problems belong to the field, for those who hear them.
    const has = Boolean(editor.querySelector("#problems"));
    for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "problems"]]) {
      if (has) text.setAttribute(name, value); else text.removeAttribute(name);
    }
  };
  text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
  // Two spaces for the tabulator; Escape first, and it moves on as everywhere.
  let leaves = false;
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { leaves = true; return; }
    if (event.key === "Tab" && !leaves && !event.shiftKey && !text.readOnly) {
      event.preventDefault();
      text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input"));
    }
    leaves = false;
  });
  let timer, asked = 0;
  const preview = async () => {
    const mine = ++asked;
    const answer = await fetch(editor.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(editor)) });
    if (mine !== asked || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["preview", "diff"]) {
      const [old, made] = [document.getElementById(id), page.getElementById(id)];
      if (old && made) old.replaceChildren(...made.childNodes);
    }
    number();
  };
  const soon = () => { number(); clearTimeout(timer); timer = setTimeout(preview, 300); };
  for (const field of editor.querySelectorAll("textarea, input[name=sample], select")) field.addEventListener("input", soon);
  number();
}
