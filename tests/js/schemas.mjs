// Ajv, as strict as it can be: which schemas it refuses, and what each of some data is by its schema.
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { given, say } from "./given.mjs";

const warned = [];
const logger = { log() {}, warn: (text) => warned.push(text), error: (text) => warned.push(text) };
const ajv = new Ajv({ strict: true, logger });
formats(ajv);

const refused = {};
const validate = {};
for (const [name, schema] of Object.entries(given.schemas)) {
  try {
    validate[name] = ajv.compile(schema);
  } catch (error) {
    refused[name] = error.message;
  }
}
say({ refused, warned, valid: given.data.map(([name, data]) => validate[name]?.(data) ?? null) });
