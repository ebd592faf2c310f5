import { createServer } from "node:http";
import { greeting } from "./greeting.js";

createServer((_request, response) => {
  response.end(greeting);
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
