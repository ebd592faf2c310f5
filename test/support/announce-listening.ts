/**
 * Preloaded into plain Node processes, so that tests can run the same app without the supervisor and find its port:
 * prints the line that the supervisor prints.
 */
import net from "node:net";
import tls from "node:tls";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]): net.Server {
  this.once("listening", () => {
    const address = this.address();
    if (address === null || typeof address === "string") return;
    const scheme = this instanceof tls.Server ? "https" : "http";
    const host = address.address === "::" || address.address === "0.0.0.0" ? "127.0.0.1" : address.address;
    process.stdout.write(`unreloader: listening on ${scheme}://${host}:${address.port} (plain node)\n`);
  });
  return Reflect.apply(listen, this, args) as net.Server;
};
