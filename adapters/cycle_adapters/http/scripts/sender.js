// Sends what waits, one after the other, one sender at a time in the whole browser.

import { recognise } from "./kept.js";
import { account } from "./store.js";
import { tell } from "./news.js";
import { all, change, CONFLICT, next, RECORDED, REFUSED, SENDING, SIGNED_OUT, tidy, WAITING } from "./outbox.js";

const LOCK = "cycle-outbox", PATIENCE = 20_000, FIRST_PAUSE = 2_000, LONGEST_PAUSE = 300_000;
const JSON_ = "application/json", PROBLEM = "application/problem+json", KEY_TAKEN = ":key-reused";

class Unreachable extends Error {}

// An answer of ours, or nothing: what stands between (a portal, a proxy) does not speak for the server.
async function ask(address, options = {}) {
  let answer;
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    answer = await fetch(address, { ...options, signal, redirect: "manual", cache: "no-store" });
    const kind = answer.headers.get("content-type") ?? "";
    if (!kind.startsWith(JSON_) && !kind.startsWith(PROBLEM)) throw new Unreachable();
    return { status: answer.status, told: await answer.json() };
  } catch {
    throw new Unreachable();
  }
}

// Who is signed in now: the account with the token of its forms; undefined where nobody is.
export async function whoAmI() {
  const { status, told } = await ask("/me.json", { headers: { Accept: JSON_ } });
  if (status === 401) return undefined;
  if (status !== 200 || !told.account) throw new Unreachable();
  return told;
}

let failures = 0, timer, queued;

// Sends all that can be sent. Returns whether something is left that only time or a connection can bring further.
export function send() {
  queued ??= navigator.locks.request(LOCK, () => {
    queued = undefined;
    return drain();
  }).then(left => {
    clearTimeout(timer);
    failures = left ? failures + 1 : 0;
    if (left) timer = setTimeout(send, pause(failures));
    return left;
  });
  return queued;
}

// Twice as long after each failure, and never all browsers of a town hall at once.
function pause(failures) {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

async function drain() {
  let me;
  try {
    me = await whoAmI();
  } catch {
    return true;
  }
  if (!me) {
    await signedOut();
    return false;
  }
  await recognise(me.account);
  await begin(me.account);
  const passed = new Set();
  let found;
  while ((found = next(await all(me.account), passed))) {
    const item = await change(found.key, [WAITING], { state: SENDING });
    // Given up in another tab, just now.
    if (!item) continue;
    let answer;
    try {
      answer = await ask(item.action, sending(item, me));
    } catch {
      await change(item.key, [SENDING], { state: WAITING, tries: item.tries + 1 });
      return true;
    }
    if (!await settle(item, answer)) passed.add(item.framework || item.key);
  }
  await tidy(me.account);
  return passed.size > 0;
}

// Whatever is marked as being sent was left so by a sender that is no more: its key makes it once.
async function begin(account) {
  for (const item of await all(account)) {
    if ([SENDING, SIGNED_OUT].includes(item.state)) await change(item.key, [item.state], { state: WAITING });
  }
}

async function signedOut() {
  for (const item of await all(await account())) {
    if ([SENDING, WAITING].includes(item.state)) await change(item.key, [item.state], { state: SIGNED_OUT });
  }
}

function sending(item, me) {
  const pairs = [...item.body, ["_key", item.key], ["_version", item.version], ["_form", me.form_token ?? ""]];
  if (item.after.length) pairs.push(["_after", item.after.join(" ")]);
  return {
    method: "POST",
    body: new URLSearchParams(pairs).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: JSON_ },
  };
}

// What an answer makes of an item. Returns false where it is tried again later.
async function settle(item, { status, told }) {
  const become = changes => change(item.key, [SENDING], { errors: [], reasons: [], detail: "", ...changes });
  if (status === 200 || status === 201) {
    await become({
      state: RECORDED, sentences: told.sentences, done: told.done, position: told.position,
      recordedVersion: told.version, recordedAt: new Date().toISOString(),
    });
    tell({ recorded: item.framework || told.framework });
    return true;
  }
  if (status === 401 || told.type?.endsWith(":bad-form")) {
    await become({ state: SIGNED_OUT });
    return false;
  }
  if (status === 412) {
    await become({ state: CONFLICT, present: told.version, since: told.since ?? [], detail: told.detail });
    return true;
  }
  const again = status >= 500 || status === 429 || (status === 409 && !told.type?.endsWith(KEY_TAKEN));
  if (again) {
    await become({ state: WAITING, tries: item.tries + 1, detail: told.detail });
    return false;
  }
  const { errors = [], reasons = [], detail = "" } = told;
  await become({ state: REFUSED, errors, reasons, detail, keyTaken: Boolean(told.type?.endsWith(KEY_TAKEN)) });
  return true;
}
