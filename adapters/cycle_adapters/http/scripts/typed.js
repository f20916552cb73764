// What is typed in a form: read, put back, and told in words.

import { make } from "./element.js";
import { day, say } from "./words.js";

// Said by the sender, or by the buttons of a page without script: no part of what somebody has typed.
const NOT_TYPED = ["_form", "_key", "_version", "_add", "_change", "_checked", "_after"];

export const pairs = form =>
  [...new FormData(form)].filter(([name]) => !NOT_TYPED.includes(name)).map(([name, value]) => [name, String(value)]);

const named = (form, name) => [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];

// Whether somebody has typed, chosen or ticked something in a field.
function isChanged(each) {
  if (each.type === "checkbox") return each.checked !== each.defaultChecked;
  if (each.tagName === "SELECT") return each.selectedIndex !== Math.max(0, [...each.options].findIndex(one => one.defaultSelected));
  return each.type !== "hidden" && "defaultValue" in each && each.value !== each.defaultValue;
}

export const isTouched = form => [...form.elements].some(isChanged);

// Puts back what was typed, field by field; rows and choices that the page has not are made. A field in which
// somebody has typed since the page is there keeps that.
export function fill(form, typed) {
  const values = new Map();
  for (const [name, value] of typed) values.set(name, [...(values.get(name) ?? []), value]);
  for (const [name, [count]] of values) {
    if (name.startsWith("_rows.")) addRows(form, name.slice("_rows.".length), Number(count));
  }
  for (const control of form.elements) {
    if (!control.name || NOT_TYPED.includes(control.name) || control.tagName === "BUTTON" || isChanged(control)) continue;
    const said = values.get(control.name) ?? [];
    if (control.type === "checkbox") control.checked = said.includes(control.value);
    else if (control.type !== "hidden" && said.length) put(control, said[named(form, control.name).indexOf(control)]);
  }
}

function put(control, value = "") {
  if (control.tagName === "SELECT" && ![...control.options].some(each => each.value === value)) {
    control.append(make("option", { value }, value));
  }
  control.value = value;
}

// As many rows as are wanted: each is the last one, blank, under the next number.
export function addRows(form, name, wanted) {
  const count = named(form, `_rows.${name}`)[0];
  const rows = () => [...form.querySelectorAll("fieldset.row")].filter(row => row.querySelector(`[name^="${CSS.escape(name)}."]`));
  if (!count || wanted > 200) return;
  for (let number = rows().length; number < wanted; number += 1) {
    const last = rows().at(-1), row = last.cloneNode(true);
    const changed = value => value
      .replaceAll(`${name}.${number - 1}.`, `${name}.${number}.`)
      .replaceAll(`${dashed(name)}-${number - 1}-`, `${dashed(name)}-${number}-`);
    for (const element of row.querySelectorAll("*")) {
      for (const each of element.attributes) each.value = changed(each.value);
      if (element.tagName === "OPTION") element.defaultSelected = false;
      else if (element.type === "checkbox") element.checked = element.defaultChecked = false;
      else if ("value" in element) element.value = element.defaultValue = "";
    }
    row.querySelector("legend").textContent = say("row", { number: number + 1 });
    last.after(row);
    count.value = number + 1;
  }
}

const dashed = name => name.replaceAll(".", "-");

// The label of a control or the legend of a group, without what stands beside it for some readers only.
function words(element) {
  const copy = element?.cloneNode(true);
  copy?.querySelectorAll(".quiet, .hidden").forEach(each => each.remove());
  return copy?.textContent.trim().replace(/\s+/g, " ") ?? "";
}

export const labelOf = control => words(control.labels?.[0]);

function valueOf(control) {
  if (control.type === "checkbox") return control.checked ? say("yes") : "";
  if (control.type === "date") return control.value && day(control.value);
  if (control.tagName === "SELECT") return control.value && words(control.selectedOptions[0]);
  return control.value.trim();
}

const isSaid = control => control.name && !["hidden", "submit", "button", "fieldset"].includes(control.type);

// What a form holds, as pairs of label and value: a group of fields is one pair, as are the several that are ticked.
export function answers(form) {
  const found = new Map();
  for (const control of [...form.elements].filter(isSaid)) {
    const group = control.closest("fieldset:not(:has([name=_on]))");
    const several = group && [...group.querySelectorAll("[name]")].filter(isSaid).every(each => each.name === control.name);
    const owner = group ?? control;
    const pair = found.get(owner) ?? { label: labelOfOwner(owner), said: [], between: several ? "\n" : ", " };
    const value = several && control.type === "checkbox" ? control.checked && labelOf(control) : valueOf(control);
    if (value) pair.said.push(group && !several ? `${labelOf(control)} ${value}` : value);
    if (!isAway(group)) found.set(owner, pair);
  }
  return [...found.values()].filter(each => each.said.length).map(each => [each.label, each.said.join(each.between)]);
}

// A line of the attendance list that is not ticked is not sent.
const isAway = group => Boolean(group?.querySelector('[name^="_came."]:not(:checked)'));

function labelOfOwner(owner) {
  if (owner.tagName !== "FIELDSET") return labelOf(owner);
  const around = owner.parentElement.closest("fieldset");
  return [around, owner].filter(Boolean).map(each => words(each.querySelector("legend"))).join(" · ");
}

// What the item is called in lists: the field that names what is made, else what was said first.
export function mainText(form) {
  const named = form.querySelector("[data-names]");
  const text = (named && valueOf(named)) || answers(form).find(([label]) => label)?.[1] || "";
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

// Required fields that are blank, as errors by name.
export function blanks(form) {
  return [...form.elements]
    .filter(each => each.required && !each.value.trim())
    .map(each => ({ name: each.name, label: labelOf(each), text: say(each.tagName === "SELECT" ? "form-choose" : "form-needed") }));
}

// Shows what is wrong: each error at its field, and all of them above the form with a link to each.
export function showErrors(form, { lines = [], errors = [], more = [] }) {
  clearErrors(form);
  const summary = make("div", { class: "summary", role: "alert", id: "summary", tabindex: "-1" },
    make("h2", {}, say("not-recorded")),
    make("ul", {}, lines.map(line => make("li", {}, line)), errors.map(each => make("li", {}, atField(form, each)))),
    more, make("p", {}, say("nothing-lost")));
  form.before(summary);
  summary.focus();
}

function atField(form, { name, label, text }) {
  const control = named(form, name).find(each => each.type !== "hidden");
  const field = document.getElementById(`f-${dashed(name.replace(/^_/, ""))}`) ?? control;
  if (!field?.id) return say("pair", { label: label || name, value: text });
  const id = `${field.id}-error`;
  field.before(make("p", { class: "error", id, "data-shown": "" }, text));
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", [id, ...(field.getAttribute("aria-describedby") ?? "").split(" ")].join(" ").trim());
  return make("a", { href: `#${field.id}` }, say("pair", { label: label || labelOf(field), value: text }));
}

export function clearErrors(form) {
  document.getElementById("summary")?.remove();
  form.querySelectorAll("p.error").forEach(each => each.remove());
  for (const each of form.querySelectorAll("[aria-invalid]")) {
    each.removeAttribute("aria-invalid");
    const rest = (each.getAttribute("aria-describedby") ?? "").split(" ").filter(id => !id.endsWith("-error")).join(" ");
    if (rest) each.setAttribute("aria-describedby", rest);
    else each.removeAttribute("aria-describedby");
  }
}
