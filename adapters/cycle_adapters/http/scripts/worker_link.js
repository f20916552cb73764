// How a page speaks with the service worker.

export async function toWorker(what) {
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage(what);
}
