/** The jobs: every exported function is one. */
import { setTimeout } from "node:timers/promises";
import { salutation } from "./salutation.js";

export function greet(name) {
  return `${salutation}, ${name}`;
}

export async function remind(name, delayMs, signal) {
  await setTimeout(delayMs, undefined, { signal });
  return greet(name);
}

export function charge(_name, amount) {
  if (amount < 0) throw Object.assign(new RangeError(`cannot charge ${amount}`), { code: "E_AMOUNT" });
  return amount;
}
