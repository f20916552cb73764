// The service worker: our script and style by their version, kept pages when the network has none, sending in the
// background where a browser can.

import { account } from "./store.js";
import { AT, BOARD, find, frameworkOf, isFollowed, keep, keepAll, recognise, refresh, refreshBoard, refreshOld, unkeep, WHOSE } from "./kept.js";
import { all, WAITING } from "./outbox.js";
import { send } from "./sender.js";

const SHELL = "shell-", PATIENCE = 4_000;

// Called by `/sw.js`, which says which version it is and of what it is made.
export function serve(version, shell) {
  const name = SHELL + version;

  addEventListener("install", event => {
    event.waitUntil(caches.open(name).then(cache => cache.addAll(shell)).then(() => skipWaiting()));
  });
  addEventListener("activate", event => {
    event.waitUntil(dropOther(name).then(() => clients.claim()));
  });
  addEventListener("fetch", event => {
    const { request } = event, url = new URL(request.url);
    if (url.origin !== location.origin) return;
    if (request.method === "POST" && url.pathname === "/sign-out") event.waitUntil(recognise(""));
    if (request.method !== "GET") {
      // A form that went by itself, before our script was there: nothing was sent, and it is still in its page.
      if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => offline(request)));
      return;
    }
    if (isShell(url)) event.respondWith(fromShell(request, name));
    else if (request.mode === "navigate") event.respondWith(page(event));
  });
  addEventListener("message", event => event.waitUntil(asked(event.data)));
  addEventListener("sync", event => event.waitUntil(synchronise()));
}

async function dropOther(name) {
  const old = (await caches.keys()).filter(each => each.startsWith(SHELL) && each !== name);
  await Promise.all(old.map(each => caches.delete(each)));
}

const isShell = ({ pathname }) => pathname.startsWith("/script/") || pathname === "/style.css" || pathname === "/outbox";

// The shell as it was installed. A page that was kept under an older version takes what there is now.
async function fromShell(request, name) {
  const cache = await caches.open(name), kept = await cache.match(request);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch {
    return await namesake(cache, request) ?? Response.error();
  }
}

async function namesake(cache, { url }) {
  const last = address => new URL(address).pathname.split("/").at(-1);
  const found = (await cache.keys()).find(each => last(each.url) === last(url));
  return found && cache.match(found);
}

// From the network, if it answers in time; else as it was kept, and it says so.
async function page(event) {
  const { request } = event, kept = await find(request.url);
  const asked = fetch(request);
  // Whatever comes late is kept for the next time.
  event.waitUntil(asked.then(answer => seen(request.url, answer.clone())).catch(() => {}));
  try {
    const answer = await (kept ? Promise.race([asked, late()]) : asked);
    if (answer.status < 500 || !kept) return answer;
  } catch {
    // Neither connection nor server.
  }
  return kept ? marked(kept) : offline(request);
}

const late = () => new Promise((_, reject) => setTimeout(reject, PATIENCE));

// The page says when it was kept: the script makes a line of it.
async function marked(kept) {
  const page = await kept.text(), at = kept.headers.get(AT);
  return new Response(page.replace("<html ", `<html data-kept="${at}" `), { headers: kept.headers });
}

async function offline(request) {
  const language = new URL(request.url).searchParams.get("lang") === "en" ? "en" : "fr";
  const page = await (await caches.match(`/outbox?lang=${language}`))?.text();
  const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
  return page ? new Response(page.replace("<html ", "<html data-missing "), { headers }) : Response.error();
}

// Those of followed frameworks are kept as they are seen. A page of somebody else may have been on its way for long:
// it asks by itself who is signed in.
async function seen(address, answer) {
  const whose = answer.headers.get(WHOSE), who = whose && decodeURIComponent(whose);
  if (!who || who !== await account()) return;
  await recognise(who);
  if (new URL(address).pathname === BOARD) await refreshBoard(who, answer.headers.get("content-language"));
  const framework = frameworkOf(address);
  if (framework && !/\/(done|replay|history|compare)/.test(address) && await isFollowed(who, framework)) {
    await keep(who, address, answer);
  }
}

async function asked({ keep: framework, language, unkeep: dropped, refresh: recorded, look }) {
  const who = await account();
  if (!who) return;
  if (framework) await keepAll(who, framework, language);
  if (dropped) await unkeep(who, dropped);
  if (recorded) await refresh(who, recorded);
  if (look) await refreshOld(who, look);
}

// Whatever is left makes the browser try again later, also when no page of ours is open.
async function synchronise() {
  await send();
  if ((await all(await account())).some(each => each.state === WAITING)) throw new Error("something waits");
}
