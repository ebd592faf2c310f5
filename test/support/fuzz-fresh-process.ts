/** A fresh process: evaluates the entry it is told, asks its http server for each route, and sends the answers back. */
import http from "node:http";
import { pathToFileURL } from "node:url";
import type { FreshAnswers, FreshOrder } from "./fuzz-fresh.js";

process.once("message", (order: FreshOrder) => {
  answer(order).then((answers) => process.send?.(answers, () => process.exit()));
});

async function answer({ entry, routes }: FreshOrder): Promise<FreshAnswers> {
  const listening = new Promise<http.Server>((resolve) => {
    http.Server.prototype.listen = function (this: http.Server): http.Server {
      resolve(this);
      return this;
    };
  });
  try {
    await import(pathToFileURL(entry).href);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
  const server = await listening;
  const answers: string[] = [];
  for (const url of routes) answers.push(await ask(server, url));
  return { answers };
}

function ask(server: http.Server, url: string): Promise<string> {
  return new Promise((resolve) => server.emit("request", { url }, { setHeader() {}, end: resolve }));
}
