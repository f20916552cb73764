// The outbox: every command lies here before it is sent, and stays until it is recorded or given up.

import { read, within, write } from "./store.js";
import { tell } from "./news.js";
import { nameOf } from "./words.js";

export const WAITING = "waiting", SENDING = "sending", RECORDED = "recorded", REFUSED = "refused",
  CONFLICT = "conflict", SIGNED_OUT = "signed-out";
// States that a person has to do something about; what stands behind waits.
const STOPPED = [REFUSED, CONFLICT];
const KEPT_DAYS = 3;

// The items of an account, in the order in which they were said.
export async function all(account) {
  return account ? read("items", items => items.index("account").getAll(account)) : [];
}

export const find = key => read("items", items => items.index("key").get(key));

// Puts an item in and takes the draft out, in one transaction. An item that was said before keeps its place.
export async function put(item, form) {
  await within(["items", "drafts"], "readwrite", (items, drafts) => {
    items.put(item);
    drafts.delete([item.account, form]);
  });
  tell("outbox");
}

// Changes an item as it is now, if it may be; undefined where another tab was quicker.
export async function change(key, from, changes) {
  let changed;
  await write("items", items => {
    const asked = items.index("key").get(key);
    asked.onsuccess = () => {
      const item = asked.result;
      if (item && from.includes(item.state)) items.put(changed = { ...item, ...changes });
    };
  });
  tell("outbox");
  return changed;
}

export const CAN_BE_GIVEN_UP = [WAITING, REFUSED, CONFLICT, SIGNED_OUT];

export async function giveUp(key) {
  await write("items", items => {
    const asked = items.index("key").get(key);
    asked.onsuccess = () => {
      if (asked.result && CAN_BE_GIVEN_UP.includes(asked.result.state)) items.delete(asked.result.seq);
    };
  });
  tell("outbox");
}

// What is recorded is shown for some days, with its sentence and its link.
export async function tidy(account) {
  const since = new Date(Date.now() - KEPT_DAYS * 86_400_000).toISOString();
  const old = (await all(account)).filter(each => each.state === RECORDED && each.recordedAt < since);
  if (old.length) await write("items", items => { for (const each of old) items.delete(each.seq); });
}

const earlier = (items, item) => items.filter(each => each.framework === item.framework && each.seq < item.seq);

// What of the same framework was said before, and is stopped: the item waits for it.
export function waitsFor(items, item) {
  if (!item.framework || ![WAITING, SIGNED_OUT].includes(item.state)) return undefined;
  return earlier(items, item).find(each => STOPPED.includes(each.state));
}

// What is sent next: of every framework its first, and nothing before it.
export function next(items, passed) {
  return items.find(item => item.state === WAITING && !passed.has(item.framework || item.key)
    && !earlier(items, item).some(each => item.framework && each.state !== RECORDED));
}

// The keys of what was said before from the page that is looked at: no facts of somebody else.
export function saidBefore(items, framework, version, before = Infinity) {
  return items
    .filter(each => framework && each.framework === framework && each.seq < before)
    .filter(each => each.state !== RECORDED || each.recordedVersion > version)
    .map(each => each.key);
}

// What an item is called in a sentence.
export const called = item => (item.words ? `${nameOf(item)} — ${item.words}` : nameOf(item));

export const unsent = items => items.filter(each => each.state !== RECORDED);
