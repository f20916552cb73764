// The texts, out of the one catalogue, in the language of the page.

const texts = {}, commands = {};

export const language = globalThis.document?.documentElement.lang || "fr";

async function file(name) {
  const answer = await fetch(new URL(`${name}-${language}.json`, import.meta.url));
  return answer.json();
}

export const learn = async () => Object.assign(texts, await file("texts"));

let learning;

// What commands are called, once something is to be told of one: most pages have nothing to tell.
export const learnCommands = () => (learning ??= file("commands").then(names => Object.assign(commands, names))
  .catch(() => { learning = undefined; }));

// What an item is called in the language of the page, whatever the one was in which it was said.
export const nameOf = ({ command, label }) => commands[command] ?? label;

// A text with its values; `{count|one|several}` goes by the number: in French none is one.
export function say(key, values = {}) {
  return (texts[key] ?? key)
    .replace(/\{(\w+)\|([^|{}]*)\|([^|{}]*)\}/g, (_, name, one, several) =>
      values[name] === 1 || (values[name] === 0 && language === "fr") ? one : several)
    .replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A fact that was recorded meanwhile, and who did.
export const told = ({ sentence, by }) => (by ? say("by-somebody", { sentence, by }) : sentence);

// Days as the server writes them: 2 March 2026.
const LOCALE = language === "fr" ? "fr" : "en-GB";

const first = day => (language === "fr" ? day.replace(/^1 /, "1er ") : day);

export const day = written =>
  first(new Intl.DateTimeFormat(LOCALE, { dateStyle: "long", timeZone: "UTC" }).format(new Date(written)));

export const moment = written =>
  first(new Intl.DateTimeFormat(LOCALE, { dateStyle: "long", timeStyle: "short" }).format(new Date(written)));

// An address of ours in the language of the page.
export function inLanguage(address) {
  const url = new URL(address, location.origin);
  url.searchParams.set("lang", language);
  return url.pathname + url.search + url.hash;
}
