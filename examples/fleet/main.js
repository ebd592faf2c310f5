/**
 * The same app several times: PORT=3001 npx unreloader main.js, PORT=3002 npx unreloader main.js, or elsewhere with the same
 * files, reached by `ssh -L` or `kubectl port-forward`. After a save, `npm run in-step` returns when all of them run it.
 */
import { createServer } from "node:http";
import { version } from "./version.js";

createServer((_request, response) => {
  response.end(version);
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
