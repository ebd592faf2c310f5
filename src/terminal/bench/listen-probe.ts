/** What a process is given that is measured from its start until it listens. Pure. */

/**
 * Says on descriptor 3 that the app listens, and lets it listen on a port that the system chooses, since the same app runs
 * beside it.
 */
export const LISTEN_PROBE = `"use strict";
const fs = require("node:fs");
const net = require("node:net");
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (first, ...rest) {
  this.once("listening", () => {
    try { fs.writeSync(3, "listening"); } catch {}
  });
  return listen.call(this, anyPort(first), ...rest);
};
function anyPort(first) {
  if (typeof first === "object" && first !== null && first.port !== undefined) return { ...first, port: 0 };
  return typeof first === "number" || (typeof first === "string" && /^\\d+$/.test(first)) ? 0 : first;
}
`;
