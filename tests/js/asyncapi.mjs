// The AsyncAPI project's own parser: everything that it has to say about a document.
import { Parser } from "@asyncapi/parser";
import { given, say } from "./given.mjs";

const { document, diagnostics } = await new Parser().parse(JSON.stringify(given));
say({
  messages: document?.allMessages().all().map((message) => message.name()) ?? [],
  found: diagnostics.map(({ severity, code, path }) => ({ severity, code, at: path.join("/") })),
});
