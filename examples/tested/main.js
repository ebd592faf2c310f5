import { createServer } from "node:http";
import { add } from "./add.js";

createServer((request, response) => {
  const [, left, right] = request.url.split("/").map(Number);
  response.end(String(add(left, right)));
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
