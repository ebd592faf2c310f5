/** An app whose packages lie beside it: a save of them is a reload, as one of its own files is. */
import { createServer } from "node:http";
import { price } from "@acme/shared";

createServer((_request, response) => {
  response.end(price(3));
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
