/** Edit the title in routes.js: both clients stay. */
import { createServer } from "node:http";
import { answer } from "./routes.js";

createServer(async (_request, response) => {
  response.end(await answer());
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
