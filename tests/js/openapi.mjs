// A validator of OpenAPI 3.1 documents; and whether every pattern is one of ECMAScript, as JSON Schema wants it.
import { Validator } from "@seriousme/openapi-schema-validator";
import { given, say } from "./given.mjs";

const patterns = [];
const walk = (value) => {
  if (value === null || typeof value !== "object") return;
  if (typeof value.pattern === "string") patterns.push(value.pattern);
  Object.values(value).forEach(walk);
};
const isOne = (pattern) => {
  try {
    return Boolean(new RegExp(pattern, "u"));
  } catch {
    return false;
  }
};
walk(given);
const validator = new Validator();
const { valid, errors } = await validator.validate(given);
say({ valid, errors, version: validator.version, patterns: patterns.length, none: patterns.filter((p) => !isOne(p)) });
