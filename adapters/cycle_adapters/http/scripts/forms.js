// Command forms: what is typed is kept as it is typed, and lies in the outbox before it is sent.

import { account, draft, dropDraft, keepDraft } from "./store.js";
import { hear } from "./news.js";
import { all, called, CONFLICT, find, put, RECORDED, REFUSED, saidBefore, SENDING, SIGNED_OUT, WAITING, waitsFor } from "./outbox.js";
import { send } from "./sender.js";
import { addRows, answers, blanks, clearErrors, fill, isTouched, mainText, pairs, showErrors } from "./typed.js";
import { offerOwn } from "./belonging.js";
import { button, link, list, make } from "./element.js";
import { inLanguage, learnCommands, moment, nameOf, say, told } from "./words.js";

const AGAIN = "#again=";
// Milliseconds after which somebody goes on, and learns later what became of it.
const PATIENCE = 8_000, A_DAY = 86_400_000;
const newKey = () => crypto.randomUUID().replaceAll("-", "");
// The day as people here count it.
const today = (at = new Date()) => new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);

// The address of a form, whatever its language and the step from which one has come.
function place(form) {
  // Not `form.action`: a field can be called so.
  const url = new URL(form.getAttribute("action"), location.origin);
  url.searchParams.delete("lang");
  return url.pathname + url.search;
}

export class CommandForm {
  constructor(form, owner, ready) {
    // Whoever has begun to type, before we were there or while we read, goes on with that.
    Object.assign(this, { form, owner, ready, again: undefined, busy: false, isBegun: isTouched(form) });
    this.version = Number(form.elements._version?.value ?? 0);
    const typed = () => { this.isBegun = true; offerOwn(form); this.keep(); };
    form.addEventListener("input", typed);
    form.addEventListener("change", typed);
    addEventListener("pageshow", ({ persisted }) => {
      this.busy = form.inert = false;
      // Whoever goes back finds the page as he left it: hidden behind what has long been recorded.
      if (persisted && document.getElementById("outcome")) location.reload();
    });
    this.begun = ready.then(() => this.begin());
  }

  async begin() {
    this.mendDays();
    const items = await all(this.owner), key = location.hash.startsWith(AGAIN) && location.hash.slice(AGAIN.length);
    const item = key && items.find(each => each.key === key && [REFUSED, CONFLICT].includes(each.state));
    if (items.length) await learnCommands();
    this.offerWaiting(items, item);
    if (item) this.openAgain(item);
    else if (this.isBegun) this.keep();
    else await this.restore();
    offerOwn(this.form);
  }

  // A page that was kept some days ago says that day's date: whoever types now means today.
  mendDays() {
    const on = this.form.elements._on, { kept } = document.documentElement.dataset;
    const days = kept ? Math.round((new Date(today()) - new Date(today(new Date(kept)))) / A_DAY) : 0;
    if (!on || !days) return;
    const then = on.max, now = new Date(Date.parse(then) + days * A_DAY).toISOString().slice(0, 10);
    // It is how the form begins, and nothing that somebody has typed.
    if (on.value === then) on.value = on.defaultValue = now;
    for (const each of this.form.querySelectorAll(`[type=date][max="${then}"]`)) each.max = now;
  }

  // What waits can be chosen as if it were there: the server puts its number in once it has one.
  offerWaiting(items, again) {
    const offered = items.filter(each => each.framework === this.form.dataset.framework && each.makes
      && each.seq < (again?.seq ?? Infinity) && (each.state !== RECORDED || each.recordedVersion > this.version));
    // A list in order is a group of choices, and has its kind as a whole.
    for (const field of this.form.querySelectorAll("[data-refers]:not([data-kind] *)")) {
      const fitting = offered.filter(each => each.makes === field.dataset.refers);
      if (fitting.length) offer(field, fitting);
    }
  }

  openAgain(item) {
    this.again = item;
    fill(this.form, item.body);
    this.showOutcome(item);
  }

  async restore() {
    const kept = await draft(this.owner, place(this.form));
    if (!kept || this.isBegun) return;
    fill(this.form, kept.body);
    const note = make("p", { class: "note screen", id: "draft" }, say("draft-restored", { at: moment(kept.at) }), " ",
      button(say("draft-drop"), () => this.beginAnew(note), { class: "plain" }));
    this.form.before(note);
  }

  // At once, and behind what is being kept: what somebody types from now on is kept as ever.
  beginAnew(note) {
    this.form.reset();
    offerOwn(this.form);
    note.remove();
    this.keeping = Promise.resolve(this.keeping).then(() => dropDraft(this.owner, place(this.form))).catch(() => {});
  }

  // One write after the other: the last one is what was typed last.
  keep() {
    if (this.busy || this.again) return;
    const kept = { account: this.owner, form: place(this.form), at: new Date().toISOString(), body: pairs(this.form) };
    this.keeping = Promise.resolve(this.keeping).then(() => (this.busy ? undefined : keepDraft(kept))).catch(() => {});
  }

  async submitted(submitter) {
    if (submitter?.name === "_add") {
      this.addRow(submitter.value);
      return;
    }
    if (this.busy) return;
    this.busy = true;
    try {
      await this.begun;
      const missing = blanks(this.form);
      clearErrors(this.form);
      if (missing.length) showErrors(this.form, { errors: missing });
      else if (!("binds" in this.form.dataset) || await this.checked()) return await this.record();
      this.busy = false;
      // What was typed last was not kept while it was about to be sent.
      this.keep();
    } catch (error) {
      // Nothing can be kept in this browser: it is sent as without script.
      console.error(error);
      this.form.submit();
    }
  }

  addRow(name) {
    addRows(this.form, name, Number(this.form.elements[`_rows.${name}`].value) + 1);
    this.keep();
  }

  // What binds is shown once more in words; the form is not shown meanwhile.
  checked() {
    const title = document.querySelector("h1"), before = title.textContent;
    const { name } = this.form.dataset, does = "two" in this.form.dataset ? "ask-for-it" : "record-it";
    return new Promise(resolve => {
      const end = yes => {
        check.remove();
        title.textContent = before;
        this.form.hidden = false;
        resolve(yes);
      };
      const check = make("div", { id: "check" },
        make("p", {}, name ? say("pair", { label: before, value: name }) : before),
        make("p", { class: "note" }, say("binds-note")),
        make("dl", { class: "answers" }, answers(this.form).map(([label, value]) =>
          [make("dt", {}, label), make("dd", {}, value)])),
        make("p", { class: "pager" }, button(say(does), () => end(true)),
          button(say("change-it"), () => end(false), { class: "plain" })));
      this.form.before(check);
      this.form.hidden = true;
      title.textContent = say("check-title");
      title.tabIndex = -1;
      title.focus();
    });
  }

  async record() {
    // What somebody would type into it now would be in nothing that is sent.
    this.form.inert = true;
    const item = this.item(await all(this.owner));
    await this.keeping;
    await put(item, place(this.form));
    this.again = item;
    const note = make("p", { class: "note", id: "outcome", tabindex: "-1" }, say("being-recorded"));
    this.form.before(note);
    this.form.hidden = true;
    note.focus();
    this.awaited(item.key, note);
    askToSync();
    // What is typed here is not the browser's to clear away when its disk is full.
    navigator.storage?.persist?.().catch(() => {});
    send();
  }

  item(items) {
    const { form, again } = this, { command, framework = "", label, makes = "" } = form.dataset;
    const own = form.elements._key?.value, usable = own && !("kept" in document.documentElement.dataset);
    const fresh = usable && !items.some(each => each.key === own) ? own : newKey();
    const version = Math.max(this.version, again?.present ?? 0);
    const body = [...pairs(form), ...("binds" in form.dataset ? [["_checked", "yes"]] : [])];
    return {
      ...(again ? { seq: again.seq } : {}), key: again && !again.keyTaken ? again.key : fresh, account: this.owner, framework, command, label, makes,
      name: form.dataset.name ?? "", words: mainText(form), shown: answers(form), body, action: form.getAttribute("action"),
      page: location.pathname + location.search, step: form.elements._step?.value ?? "",
      version: form.elements._version?.value ? version : "", after: form.elements._version?.value ? saidBefore(items, framework, version, again?.seq) : [],
      typedAt: new Date().toISOString(), state: WAITING, tries: 0,
    };
  }

  // Shows what becomes of an item, until it is known or somebody goes on.
  awaited(key, note) {
    const go = ({ done, step }) => location.assign(inLanguage(done + (step ? `?step=${step}` : "")));
    const look = async () => {
      const item = await find(key);
      if (item?.state === WAITING && !item.tries && !waitsFor(await all(this.owner), item)) return;
      else if (item?.state === SENDING) return;
      else end(item);
    };
    let isOver = false;
    const end = item => {
      // Several looks can be under way at once.
      if (isOver) return;
      isOver = true;
      stop();
      clearTimeout(timer);
      if (item?.state === RECORDED) { go(item); return; }
      note.remove();
      if (!item) this.beginAgain();
      else if ([REFUSED, CONFLICT].includes(item.state)) this.showForm(item);
      else this.lies(item);
    };
    const stop = hear(look), timer = setTimeout(async () => end(await find(key)), navigator.onLine ? PATIENCE : 0);
    look();
  }

  showForm(item) {
    this.again = item;
    this.open();
    this.showOutcome(item);
  }

  showOutcome(item) {
    const meanwhile = item.state === CONFLICT;
    const lines = meanwhile ? [say("changed-since")] : item.errors?.length && !item.reasons?.length ? []
      : item.reasons?.length ? item.reasons.map(each => each.text) : [item.detail];
    const more = meanwhile ? [make("p", {}, say("recorded-meanwhile")), list(item.since.map(told)),
      make("p", {}, say("send-again-after-looking")),
      make("p", {}, link(inLanguage("/outbox"), say("side-by-side")))] : [];
    showErrors(this.form, { lines, errors: item.errors ?? [], more });
  }

  // Given up in another tab: what was typed is still here, and may be sent as something new.
  beginAgain() {
    this.again = undefined;
    this.open();
  }

  // To be typed in, and sent.
  open() {
    this.busy = this.form.inert = this.form.hidden = false;
  }

  // It lies in the outbox: nobody has to stay for it.
  lies(item) {
    const signIn = item.state === SIGNED_OUT
      && link(inLanguage(`/sign-in?to=${encodeURIComponent("/outbox")}`), say("sign-in-again"), { class: "button" });
    const back = item.step ? [`/frameworks/${item.framework}/meeting?step=${item.step}`, say("back-to-meeting")]
      : item.framework ? [`/frameworks/${item.framework}`, say("back-to-framework")] : ["/", say("all-frameworks")];
    const panel = make("div", { class: "done", id: "outcome" },
      make("h2", { tabindex: "-1" }, say(item.state === SIGNED_OUT ? "lies-signed-out" : "lies-waiting")),
      make("p", {}, called(item)),
      make("p", {}, say("lies-note")),
      make("p", { class: "pager" }, signIn || "", link(inLanguage(back[0]), back[1], { class: "button" }),
        link(inLanguage("/outbox"), say("outbox-title"), { class: "button plain" })));
    this.form.replaceWith(panel);
    panel.querySelector("h2").focus();
  }
}

async function askToSync() {
  const worker = await navigator.serviceWorker?.getRegistration();
  await worker?.sync?.register("outbox").catch(() => {});
}

// Choices for what waits: in a list to choose from, among what is ticked, or at the end of an order.
function offer(field, items) {
  const choices = items.map(each => ({
    value: `@${each.key}`, label: say("choice-waiting", { words: each.words || nameOf(each) }), owner: ownerIn(each, field.dataset.of),
  }));
  if (field.tagName === "SELECT") field.append(...options(choices));
  else offerInList(field, choices);
}

// Whose a thing is was said where it was made, in a field of the same name.
const ownerIn = ({ body }, name) => name && body.find(([each]) => each === name)?.[1];

const options = choices => choices.map(({ value, label, owner }) => make("option", { value, "data-owner": owner }, label));

function offerInList(field, choices) {
  field.querySelector(":scope > p.quiet")?.remove();
  const { name, kind } = field.dataset, selects = [...field.querySelectorAll("select")];
  if (kind !== "order") {
    field.append(...choices.map(({ value, label }, number) => {
      const id = `${field.id}-w${number}`;
      return make("div", { class: "tick" }, make("input", { type: "checkbox", id, name, value }), make("label", { for: id }, label));
    }));
    return;
  }
  const first = selects.length
    ? [...selects[0].options].map(each => ({ value: each.value, label: each.textContent, owner: each.dataset.owner }))
    : [{ value: "", label: "—" }];
  for (const each of selects) each.append(...options(choices));
  choices.forEach((_, number) => {
    const rank = selects.length + number + 1, id = `${field.id}-${rank}`;
    field.append(make("label", { for: id }, say("rank", { number: rank })), make("select", { id, name }, options([...first, ...choices])));
  });
}

// Every form of the page, by its element.
export async function begin(ready) {
  const owner = document.documentElement.dataset.account || await account();
  const forms = [...document.querySelectorAll("form[data-command]")];
  return new Map(forms.map(form => [form, new CommandForm(form, owner, ready)]));
}
