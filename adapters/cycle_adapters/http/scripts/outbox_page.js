// The outbox as a page: what waits, what came of it, and what is kept.

import { account, followed, unfollow } from "./store.js";
import { recognise } from "./kept.js";
import { hear, inTurn, tell } from "./news.js";
import { all, called, CAN_BE_GIVEN_UP, change, CONFLICT, giveUp, RECORDED, REFUSED, SENDING, SIGNED_OUT, WAITING, waitsFor } from "./outbox.js";
import { send, whoAmI } from "./sender.js";
import { toWorker } from "./worker_link.js";
import { button, link, list, make } from "./element.js";
import { inLanguage, learnCommands, moment, nameOf, say, told } from "./words.js";

const PATIENCE = 4_000;

// Shown to who is signed in; without a connection, to who was last.
async function reader() {
  if (!navigator.onLine) return account();
  try {
    const me = await Promise.race([whoAmI(), new Promise((_, reject) => setTimeout(reject, PATIENCE))]);
    if (me) await recognise(me.account);
    return me ? me.account : await account();
  } catch {
    return account();
  }
}

export async function begin(page) {
  const who = await reader();
  const items = page.querySelector("#items"), kept = page.querySelector("#kept"), shown = new Map();
  const draw = inTurn(async () => {
    const said = await all(who);
    if (said.length) await learnCommands();
    drawItems(items, said, shown);
    drawKept(kept, who, await followed(who));
  });
  hear(draw);
  addEventListener("online", draw);
  page.querySelector("#send").addEventListener("click", () => send());
  await draw();
}

// Only what has changed is drawn anew, so that nobody loses the place where he is.
function drawItems(place, items, shown) {
  const wanted = items.toReversed();
  for (const [key, each] of shown) {
    if (!wanted.some(item => item.key === key)) { each.element.remove(); shown.delete(key); }
  }
  wanted.forEach((item, number) => {
    const behind = waitsFor(items, item), waitingBehind = items.filter(each => waitsFor(items, each)?.key === item.key && each.version);
    const as = JSON.stringify([item, behind?.key, waitingBehind.length]), before = shown.get(item.key);
    if (before?.as !== as) {
      const element = article(item, behind, waitingBehind), focused = before?.element.contains(document.activeElement);
      if (before) before.element.replaceWith(element);
      shown.set(item.key, { as, element });
      if (focused) element.querySelector("h2").focus();
    }
    const { element } = shown.get(item.key);
    if (place.children[number] !== element) place.insertBefore(element, place.children[number] ?? null);
  });
  place.hidden = !wanted.length;
  document.getElementById("nothing").hidden = wanted.length > 0;
  document.getElementById("send").hidden = !wanted.some(each => each.state !== RECORDED);
}

function article(item, behind, waitingBehind) {
  const state = behind ? "behind" : item.state;
  return make("li", { class: `item ${state}`, "data-key": item.key, "data-state": item.state },
    make("h2", { tabindex: "-1" }, nameOf(item), item.name ? make("small", {}, ` ${item.name}`) : ""),
    item.words ? make("p", {}, item.words) : "",
    make("p", { class: "state" }, make("strong", {}, say(`state-${state}`, { what: behind && called(behind) })),
      make("span", { class: "quiet" }, ` ${say("typed-at", { at: moment(item.typedAt) })}`)),
    ...(PARTS[item.state]?.(item, waitingBehind) ?? waiting(item)),
    CAN_BE_GIVEN_UP.includes(item.state) && item.state !== CONFLICT ? make("p", { class: "pager" }, actions(item)) : "");
}

const waiting = item => (item.tries && item.detail ? [make("p", { class: "quiet" }, item.detail)] : []);

const PARTS = {
  [RECORDED]: item => [...item.sentences.map(each => make("p", {}, each)), make("p", {}, link(inLanguage(item.done), say("see-recorded")))],
  [REFUSED]: item => [list([...item.errors.map(each => say("pair", { label: each.label, value: each.text })),
    ...(item.reasons.length ? item.reasons.map(each => each.text) : item.errors.length ? [] : [item.detail])])],
  [CONFLICT]: conflict,
  [SIGNED_OUT]: () => [make("p", {}, link(inLanguage(`/sign-in?to=${encodeURIComponent("/outbox")}`), say("sign-in-again"), { class: "button" }))],
  [SENDING]: () => [],
};

// Side by side: nothing is written over, nothing is dropped.
function conflict(item, behind) {
  return [make("div", { class: "sides" },
    make("section", {}, make("h3", {}, say("side-mine")), make("dl", { class: "answers" },
      item.shown.map(([label, value]) => [make("dt", {}, label), make("dd", {}, value)]))),
    make("section", {}, make("h3", {}, say("side-theirs")), list(item.since.map(told)))),
  make("p", { class: "pager" }, button(say("send-all-the-same"), () => sendAllTheSame(item, [])),
    behind.length ? button(say("send-all-behind", { count: behind.length }), () => sendAllTheSame(item, behind), { class: "plain" }) : "",
    actions(item))];
}

// Whoever has looked at what was recorded can say that this holds for what he said next as well.
async function sendAllTheSame(item, behind) {
  for (const each of behind) await change(each.key, [WAITING], { version: Math.max(each.version, item.present) });
  await change(item.key, [CONFLICT], { state: WAITING, version: item.present, tries: 0 });
  send();
}

const actions = item => [
  [REFUSED, CONFLICT].includes(item.state) ? link(`${item.page}#again=${item.key}`, say("change-mine"), { class: "button plain" }) : "",
  button(say("give-up"), () => ask(item), { class: "plain", "data-act": "give-up" })];

// Nothing is given up without a question.
function ask(item) {
  const id = `ask-${item.key}`;
  const end = yes => { dialog.close(); dialog.remove(); return yes && giveUp(item.key).then(send); };
  const dialog = make("dialog", { "aria-labelledby": id },
    make("h2", { id }, say("give-up-question")),
    make("p", {}, called(item)),
    make("p", {}, say(item.tries ? "give-up-perhaps-recorded" : "give-up-gone")),
    make("p", { class: "pager" }, button(say("keep-it"), () => end(false)), button(say("give-up-yes"), () => end(true), { class: "plain" })));
  document.body.append(dialog);
  dialog.addEventListener("cancel", () => dialog.remove());
  dialog.showModal();
}

function drawKept(place, who, frameworks) {
  place.replaceChildren(...frameworks.map(each => make("li", {},
    link(inLanguage(`/frameworks/${each.framework}`), each.name || each.framework), " ",
    link(inLanguage(`/frameworks/${each.framework}/meeting`), [say("meeting"), make("span", { class: "hidden" }, ` — ${each.name}`)]), " ",
    make("span", { class: "quiet" }, each.at ? say("kept-at", { at: moment(each.at), pages: each.pages }) : say("being-kept")), " ",
    button([say("unfollow"), make("span", { class: "hidden" }, ` — ${each.name}`)], () => stop(who, each), { class: "plain" }))));
  document.getElementById("none-kept").hidden = frameworks.length > 0;
}

async function stop(who, { framework }) {
  await unfollow(who, framework);
  toWorker({ unkeep: framework });
  tell("followed");
}
