// What has changed, told to every tab and to the worker.

const channel = new BroadcastChannel("cycle");
const listeners = new Set();

const toAll = what => { for (const listener of listeners) listener(what); };
channel.onmessage = ({ data }) => toAll(data);

export function tell(what) {
  channel.postMessage(what);
  toAll(what);
}

export function hear(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
