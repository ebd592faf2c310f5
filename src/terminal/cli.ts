#!/usr/bin/env node
/** Nothing here is newer than the oldest Node that somebody may have: what follows would not even parse there. */
const LEAST = [20, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  process.stderr.write(
    `unreloader: Node.js ${process.versions.node} is too old: ${LEAST.join(".")} or newer is needed (node --version says which one runs)\n`,
  );
  process.exitCode = 1;
} else import("./main.js");

export {};
