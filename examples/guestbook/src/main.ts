/** A guestbook on Postgres. It knows nothing of unreloader: `node src/main.ts` runs it as well, on Node 22.18 or later. */
import { createServer } from "node:http";
import { createApp } from "./app.ts";

const port = Number(process.env.PORT ?? 3000);

createServer(createApp()).listen(port, "127.0.0.1");
