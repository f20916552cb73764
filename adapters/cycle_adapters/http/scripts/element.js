// Elements made of words: whatever somebody has typed is text, and turns nothing around it.

const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export const straight = words => String(words).replace(TURNS, "");

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(each => each !== undefined && each !== "")
    .flatMap(each => (each instanceof Node ? each : tag === "option" ? straight(each) : whole(straight(each)))));
  return element;
}

// A number such as MB-3 does not break at its hyphen, and is copied as it stands.
const NUMBERED = /\b((?:MB|[NMACO])-\d+)\b/;

function whole(words) {
  return words.split(NUMBERED).map((each, place) => {
    if (place % 2 === 0) return each;
    const element = document.createElement("span");
    element.className = "no";
    element.textContent = each;
    return element;
  });
}

export const link = (address, words, more = {}) => make("a", { href: address, ...more }, words);
export const button = (words, onclick, more = {}) => make("button", { type: "button", onclick, ...more }, words);
export const list = (lines, more = {}) => make("ul", more, lines.map(line => make("li", {}, line)));
