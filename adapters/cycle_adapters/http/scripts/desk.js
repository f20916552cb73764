// What every page does with a script: forms through the outbox, what waits, what is kept. Without it all works, too.

import { account, follow, unfollow } from "./store.js";
import { hear, inTurn, tell } from "./news.js";
import { all, called, CONFLICT, REFUSED, SIGNED_OUT, unsent } from "./outbox.js";
import { send, whoAmI } from "./sender.js";
import { isFollowed, recognise } from "./kept.js";
import { toWorker } from "./worker_link.js";
import { link, list, make } from "./element.js";
import { inLanguage, learn, learnCommands, moment, say } from "./words.js";

const page = document.documentElement, main = document.getElementById("main");
const owner = page.dataset.account ?? "", isKept = "kept" in page.dataset;
const framework = main.querySelector("[data-place]")?.dataset;
const about = framework?.place || main.querySelector("form[data-framework]")?.dataset.framework;

// A page says for whom it was made; one that was on its way, or that a browser brings back, when somebody has gone
// since does not say who is signed in: the server is asked, and the page is made anew.
async function recogniseOwner() {
  if (!owner || isKept) return;
  if (await account() === owner) return recognise(owner);
  try {
    const who = (await whoAmI())?.account ?? "";
    await recognise(who);
    if (who !== owner) location.reload();
  } catch {
    // Nobody can say: nothing is shown but the page.
  }
}

// What somebody has looked at is not for who sits there now.
function hideFromOthers() {
  addEventListener("pageshow", async ({ persisted }) => {
    if (persisted && owner && await account() !== owner) location.reload();
  });
}

function sayThatItIsKept() {
  const words = isKept ? say("page-kept", { at: moment(page.dataset.kept) }) : "missing" in page.dataset ? say("page-missing") : "";
  if (words) main.prepend(make("p", { class: "note", id: "no-connection" }, words));
}

async function countLine() {
  const line = document.getElementById("outbox-line"), items = unsent(await all(owner || (isOutbox && await account())));
  const stopped = items.filter(each => [REFUSED, CONFLICT, SIGNED_OUT].includes(each.state)).length;
  const words = [items.length > stopped && say("count-waiting", { count: items.length - stopped }), stopped && say("count-stopped", { count: stopped })];
  const told = words.filter(Boolean).join(" ");
  if (line.textContent === told) return;
  line.replaceChildren(...(told ? [link(inLanguage("/outbox"), told)] : []));
}

// What of this framework is said and not recorded: a page that was kept does not know of it.
async function waitingHere() {
  const items = unsent(await all(owner)).filter(each => each.framework === about);
  let place = document.getElementById("waiting-here");
  if (!place && !items.length) return;
  await learnCommands();
  if (!place) main.querySelector("h1").after(place = make("div", { id: "waiting-here", class: "note" }));
  place.hidden = !items.length;
  place.replaceChildren(make("p", {}, say("waiting-here")), list(items.map(each =>
    `${called(each)} (${say(`state-${each.state}`)})`)));
}

async function followButton() {
  const button = document.getElementById("follow");
  if (!button) return;
  const draw = inTurn(async () => {
    const each = await isFollowed(owner, framework.place);
    button.textContent = say(each ? "unfollow" : "follow");
    const told = each && (each.at ? say("kept-at", { at: moment(each.at), pages: each.pages }) : say("being-kept"));
    document.getElementById("followed").textContent = told ?? "";
  });
  button.addEventListener("click", async ({ detail }) => {
    // Who clicks twice means it once.
    if (detail > 1) return;
    if (await isFollowed(owner, framework.place)) {
      await unfollow(owner, framework.place);
      toWorker({ unkeep: framework.place });
    } else {
      await follow({ account: owner, framework: framework.place, name: framework.name, language: page.lang });
      toWorker({ keep: framework.place, language: page.lang });
    }
    tell("followed");
  });
  hear(draw);
  await draw();
  button.hidden = false;
}

function sendWhenItMay() {
  addEventListener("online", () => send());
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") send(); });
  hear(what => { if (what.recorded) toWorker({ refresh: what.recorded }); });
  return send();
}

// Only what a page needs is fetched with it. Whoever is quicker than that is waited for, and sends nothing meanwhile.
function beginForms(ready) {
  if (!document.querySelector("form[data-command]")) return undefined;
  const forms = import("./forms.js").then(({ begin }) => begin(ready));
  document.addEventListener("submit", event => {
    const form = event.target;
    if (!form.matches("form[data-command]")) return;
    event.preventDefault();
    forms.then(all => all.get(form).submitted(event.submitter), () => form.submit());
  });
  return forms;
}

const isOutbox = document.getElementById("items") !== null;

async function begin() {
  navigator.serviceWorker?.register("/sw.js", { type: "module" }).catch(() => {});
  hideFromOthers();
  const ready = learn(), forms = beginForms(ready);
  await ready;
  await recogniseOwner();
  sayThatItIsKept();
  if (isOutbox) (await import("./outbox_page.js")).begin(main);
  const draw = inTurn(() => Promise.all([countLine(), about && owner && waitingHere()]));
  hear(draw);
  await Promise.all([draw(), forms]);
  if (framework && owner) await followButton();
  if (owner || isOutbox) await sendWhenItMay();
  if (framework && owner && !isKept) toWorker({ look: framework.place });
}

// What lies here stays for good and is ours alone only where the line is: elsewhere all works as without script.
if (isSecureContext && globalThis.indexedDB && navigator.locks && crypto.randomUUID) begin();
