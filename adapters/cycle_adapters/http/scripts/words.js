// The texts, out of the one catalogue, in the language of the page.

const texts = {};

export const language = globalThis.document?.documentElement.lang || "fr";

export async function learn() {
  const answer = await fetch(new URL(`texts-${language}.json`, import.meta.url));
  Object.assign(texts, await answer.json());
}

// A text with its values; `{count|one|several}` goes by the number: in French none is one.
export function say(key, values = {}) {
  return (texts[key] ?? key)
    .replace(/\{(\w+)\|([^|{}]*)\|([^|{}]*)\}/g, (_, name, one, several) =>
      values[name] === 1 || (values[name] === 0 && language === "fr") ? one : several)
    .replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A fact that was recorded meanwhile, and who did.
export const told = ({ sentence, by }) => (by ? say("by-somebody", { sentence, by }) : sentence);

const first = day => (language === "fr" ? day.replace(/^1 /, "1er ") : day);

export const day = written =>
  first(new Intl.DateTimeFormat(language, { dateStyle: "long", timeZone: "UTC" }).format(new Date(written)));

export const moment = written =>
  first(new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(new Date(written)));

// An address of ours in the language of the page.
export function inLanguage(address) {
  const url = new URL(address, location.origin);
  url.searchParams.set("lang", language);
  return url.pathname + url.search + url.hash;
}
