// The EventSource of npm: tells of each connection, message and mark as it comes, until a mark reaches a position.
import { EventSource } from "eventsource";

const [, , url, who, until] = process.argv;
const say = (value) => console.log(JSON.stringify(value));
// An EventSource that waits to come again keeps no program alive by itself.
const alive = setInterval(() => {}, 60_000);

const source = new EventSource(url, {
  fetch: (address, init) => {
    say({ asked: init.headers["Last-Event-ID"] ?? "" });
    return fetch(address, { ...init, headers: { ...init.headers, Authorization: `Bearer ${who}` } });
  },
});
source.addEventListener("message", ({ lastEventId, data }) => say({ id: lastEventId, event: JSON.parse(data) }));
for (const name of ["checkpoint", "caught-up"]) {
  source.addEventListener(name, ({ lastEventId, data }) => {
    const { to } = JSON.parse(data);
    say({ id: lastEventId, to });
    if (to < Number(until)) return;
    source.close();
    clearInterval(alive);
  });
}
source.addEventListener("closed", ({ data }) => say({ closed: JSON.parse(data).reason }));
source.addEventListener("error", ({ code }) => {
  // An answer with another status than 200 is the end, by the standard.
  if (source.readyState === EventSource.CLOSED) throw new Error(`given up: ${code}`);
});
