/** What the gate says of what a client has sent. */
import type { Socket } from "node:net";
import type { Relay } from "./relay.js";
import { PASS, type Verdict } from "./turn.js";

/** A worker that connects to its own server says so within microseconds, unless the system lets it wait. */
const OWN_POLL_MS = 2;

type Asked = Pick<Relay, "gate" | "ownEpoch">;

/** What the app asks itself does not wait: what the gate waits for may wait for the answer. */
export function askGate({ gate, ownEpoch }: Asked, client: Socket, isAgain = false): Verdict | Promise<Verdict> {
  const verdict = gate.check(isAgain);
  if (!(verdict instanceof Promise)) return verdict;
  const own = ownEpoch(client);
  if (own === undefined) return verdict;
  // A gate that fails is told to those who wait for it.
  verdict.catch(() => undefined);
  return own === "unknown" ? askSoon({ gate, ownEpoch }, client) : PASS;
}

/** The worker is between two steps. */
async function askSoon(asked: Asked, client: Socket): Promise<Verdict> {
  await new Promise((resolve) => setTimeout(resolve, OWN_POLL_MS));
  return askGate(asked, client, true);
}
