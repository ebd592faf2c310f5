/**
 * What an app may say about its own reloads; most apps need none of it. Run it in a clone, and edit the files beside it:
 *   npm run build && node dist/src/cli.js --root examples/hooks
 */
import http from "node:http";
import { unreloader } from "unreloader/app";
import { feed } from "./feed.js";
import { greeting, versions } from "./greeting.js";
import legacy from "./legacy.cjs";
import { news } from "./news.js";
import { settings } from "./settings.js";

const price = `5 ${settings.currency}`;

const server = http.createServer((_request, response) => {
  const { generation, reloading, autoloading } = unreloader;
  const answer = { greeting: greeting(), versions, legacy: legacy.text(), news, price, opened: feed.opened };
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ ...answer, subscribers: feed.subscribers.size, generation, reloading, autoloading }));
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
