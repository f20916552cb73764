// Pages that are kept for when there is no connection: those of the frameworks that an account follows, and their board.

import { account, followed, followOn, signedIn } from "./store.js";
import { tell } from "./news.js";

export const AT = "Cycle-Kept", WHOSE = "Cycle-Account";
export const BOARD = "/";
const PREFIX = "pages-", OLD_SECONDS = 600;
const cacheOf = who => PREFIX + encodeURIComponent(who);

// One address for one page, in whatever order its parameters stand.
export function canonical(address, without = []) {
  const url = new URL(address, location.origin);
  for (const name of without) url.searchParams.delete(name);
  url.searchParams.sort();
  url.hash = "";
  return url.href;
}

export const frameworkOf = address => /^\/frameworks\/([^/]+)/.exec(new URL(address, location.origin).pathname)?.[1];

export const isFollowed = async (who, framework) => (await followed(who)).find(each => each.framework === framework);

// The kept page under an address, for who was signed in last; a form is as good from another step of the meeting.
export async function find(address) {
  const who = await account(), cacheName = cacheOf(who);
  // Not opened: that would make it anew for somebody who has just gone.
  const exact = who && await caches.match(canonical(address), { cacheName });
  const without = address.includes("/do/") ? ["step"] : isTyped(address) ? ["lang"] : undefined;
  if (exact || !who || !without || !await caches.has(cacheName)) return exact || undefined;
  const pages = await caches.open(cacheName), wanted = canonical(address, without);
  const near = (await pages.keys()).find(each => canonical(each.url, without) === wanted);
  return near && pages.match(near);
}

// Whoever types our address says no language: any will do.
function isTyped(address) {
  const { pathname, search } = new URL(address, location.origin);
  return pathname === BOARD && !search;
}

// Keeps an answer, if it is a page that was made for this account.
export async function keep(who, address, answer) {
  if (who !== await account() || !answer.ok || answer.redirected || answer.headers.get(WHOSE) !== encodeURIComponent(who)) return false;
  const headers = new Headers(answer.headers);
  headers.set(AT, new Date().toISOString());
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  const pages = await caches.open(cacheOf(who));
  await pages.put(canonical(address), new Response(await answer.blob(), { headers }));
  return true;
}

// Who is signed in now. Nothing that was kept for others stays; where nobody is, for anybody.
export async function recognise(who) {
  if (who !== await account()) await signedIn(who);
  // Also where nothing has changed: a page that was on its way when somebody went may have come since.
  await forgetOthers(who);
}

async function forgetOthers(who) {
  const others = (await caches.keys()).filter(name => name.startsWith(PREFIX) && (!who || name !== cacheOf(who)));
  await Promise.all(others.map(name => caches.delete(name)));
}

async function forget(who, framework, except = []) {
  if (!await caches.has(cacheOf(who))) return;
  const pages = await caches.open(cacheOf(who)), wanted = new Set(except.map(each => canonical(each)));
  for (const { url } of await pages.keys()) {
    if (frameworkOf(url) === framework && !wanted.has(url)) await pages.delete(url);
  }
}

export async function unkeep(who, framework) {
  await forget(who, framework);
  const stale = await boards(who);
  // What is not followed any more does not stay, even if nothing can be fetched now.
  for (const url of stale) await (await caches.open(cacheOf(who))).delete(url);
  for (const url of stale) await keepBoard(who, new URL(url).searchParams.get("lang"));
}

const boardIn = language => canonical(`${BOARD}?lang=${language}`);

// The boards that are kept: one for each language.
async function boards(who) {
  if (!await caches.has(cacheOf(who))) return [];
  const pages = await (await caches.open(cacheOf(who))).keys();
  return pages.map(each => each.url).filter(url => new URL(url).pathname === BOARD);
}

// The board of what is followed lies where the whole one is: no more than that leaves with a telephone.
async function keepBoard(who, language) {
  const names = async () => (await followed(who)).map(each => `&followed=${each.framework}`).join("");
  const address = boardIn(language), asked = await names();
  if (!asked) return;
  // Whoever follows less since then has asked to forget what was still on its way.
  if (await keep(who, address, await fetch(address + asked)) && await names() !== asked) {
    await (await caches.open(cacheOf(who))).delete(address);
  }
}

// The whole board was looked at: what is kept of it is fetched again, if it is old.
export async function refreshBoard(who, language) {
  if (!(await followed(who)).length) return;
  const kept = await caches.match(boardIn(language), { cacheName: cacheOf(who) });
  if (isOld({ at: kept?.headers.get(AT) })) await keepBoard(who, language);
}

const queues = new Map();

// Fetches the pages of a framework anew: one run at a time, and one more for all that asked meanwhile.
export function keepAll(who, framework, language, wanted = () => true) {
  // What is asked for somebody else, or in another language, is another run.
  const name = [who, framework, language].join(" "), queue = queues.get(name) ?? { last: Promise.resolve(), asked: [] };
  queues.set(name, queue);
  queue.asked.push(wanted);
  if (queue.asked.length > 1) return queue.last;
  queue.last = queue.last.then(() => {
    const asked = queue.asked.splice(0);
    return fetchAll(who, framework, language, address => asked.some(each => each(address)));
  }).catch(() => {});
  return queue.last;
}

async function fetchAll(who, framework, language, wanted) {
  const answer = await fetch(`/frameworks/${framework}/offline.json?lang=${language}`);
  if (!answer.ok) return;
  const { name, pages } = await answer.json();
  const addresses = pages.map(page => {
    const url = new URL(page, location.origin);
    url.searchParams.set("lang", language);
    return url.href;
  });
  let whole = addresses.every(wanted);
  for (const address of addresses.filter(wanted)) {
    const found = await fetch(address);
    if (found.status === 429 || found.status >= 500) whole = false;
    await keep(who, address, found);
  }
  await forget(who, framework, addresses);
  await keepBoard(who, language);
  const changes = { name, language, pages: addresses.length, ...(whole ? { at: new Date().toISOString() } : {}) };
  if (!await followOn(who, framework, changes)) return forget(who, framework);
  tell("followed");
}

const isOld = ({ at }) => !at || Date.now() - new Date(at) > OLD_SECONDS * 1_000;

// What was kept a while ago is fetched again when there is a connection.
export async function refreshOld(who, framework) {
  const each = await isFollowed(who, framework);
  if (each && isOld(each)) await keepAll(who, framework, each.language);
}

// After something was recorded: what tells of it. Forms go on with what they know, which is not old.
export async function refresh(who, framework) {
  const each = await isFollowed(who, framework);
  if (each) await keepAll(who, framework, each.language, isOld(each) ? undefined : address => !address.includes("/do/"));
}
