/** Serves on all addresses of the container. */
import { createServer } from "node:http";
import { greeting } from "./greeting.ts";

createServer((_request, response) => {
  response.end(`${greeting}\n`);
}).listen(Number(process.env.PORT ?? 3000), "0.0.0.0");
