// What the test has written to this program.
import { readFileSync } from "node:fs";

export const given = JSON.parse(readFileSync(0, "utf8"));
export const say = (value) => console.log(JSON.stringify(value));
