// What has changed, told to every tab and to the worker.

const channel = new BroadcastChannel("cycle");
const listeners = new Set();

const toAll = what => { for (const listener of listeners) listener(what); };
channel.onmessage = ({ data }) => toAll(data);

export function tell(what) {
  channel.postMessage(what);
  toAll(what);
}

// Work that reads and then shows: one run at a time, and one more for all that asked meanwhile. What a slow run has
// read before is never shown over what a later one knows.
export function inTurn(work) {
  let running, again = false;
  const run = async () => {
    do {
      again = false;
      await work();
    } while (again);
  };
  return () => {
    if (running) again = true;
    else running = run().finally(() => { running = undefined; });
    return running;
  };
}

export function hear(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
