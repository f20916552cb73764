// What this browser keeps, on one page: the outbox, drafts, frameworks that are followed, who was signed in last.

const NAME = "cycle", VERSION = 1;
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => {
      const items = asked.result.createObjectStore("items", { keyPath: "seq", autoIncrement: true });
      items.createIndex("key", "key", { unique: true });
      items.createIndex("account", "account");
      asked.result.createObjectStore("drafts", { keyPath: ["account", "form"] });
      asked.result.createObjectStore("followed", { keyPath: ["account", "framework"] });
      asked.result.createObjectStore("known", { keyPath: "name" });
    };
    asked.onsuccess = () => {
      const found = asked.result;
      // A newer page in another tab waits for this one to let go.
      found.onversionchange = () => { found.close(); opened = undefined; };
      resolve(found);
    };
    asked.onerror = () => { opened = undefined; reject(asked.error); };
  });
  return opened;
}

// One transaction: `work` gets the stores and asks; what the request that it returns found is the answer.
export async function within(names, mode, work) {
  const transaction = (await database()).transaction(names, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const asked = work(...names.map(name => transaction.objectStore(name)));
  await done;
  return asked?.result;
}

export const read = (name, work) => within([name], "readonly", work);
export const write = (name, work) => within([name], "readwrite", work);

// Who was signed in last in this browser: what is kept is shown to this account and to nobody else.
export async function account() {
  return (await read("known", known => known.get("account")))?.value ?? "";
}

export const signedIn = value => write("known", known => known.put({ name: "account", value }));

export const draft = (account, form) => read("drafts", drafts => drafts.get([account, form]));
export const keepDraft = each => write("drafts", drafts => drafts.put(each));
export const dropDraft = (account, form) => write("drafts", drafts => drafts.delete([account, form]));

export async function followed(account) {
  const all = await read("followed", frameworks => frameworks.getAll());
  return all.filter(each => each.account === account);
}

export const follow = each => write("followed", frameworks => frameworks.put(each));
// What is new of a framework, if it is still followed; undefined where it is not.
export async function followOn(account, framework, changes) {
  let changed;
  await write("followed", frameworks => {
    const asked = frameworks.get([account, framework]);
    asked.onsuccess = () => {
      if (asked.result) frameworks.put(changed = { ...asked.result, ...changes });
    };
  });
  return changed;
}

export const unfollow = (account, framework) =>
  write("followed", frameworks => frameworks.delete([account, framework]));
