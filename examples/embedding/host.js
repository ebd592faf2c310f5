/**
 * A host with an Express server of its own. Its routes stay as they are; the app below /shop runs under a supervisor and
 * shows each save with the next request. Run it in a clone: npm run build && node examples/embedding/host.js
 */
import { fileURLToPath } from "node:url";
import express from "express";
import { createSupervisor } from "unreloader";

const supervisor = createSupervisor({ entry: fileURLToPath(new URL("app/main.js", import.meta.url)) });
supervisor.on("reload", ({ kind, generation, loaded }) => console.log(kind, generation, loaded));

const host = express();
host.get("/health", (_request, response) => {
  const { phase, generation, inFlight } = supervisor.inspect();
  response.json({ phase, generation, inFlight });
});
host.get("/price", async (_request, response) => {
  // The host asks the app without a port.
  const menu = await (await supervisor.fetch("/menu")).json();
  response.json({ total: menu.reduce((sum, { price }) => sum + price, 0) });
});
// Before anything that reads bodies, so that the app gets them.
host.use("/shop", supervisor.handler);
host.use((error, _request, response, _next) => {
  response
    .status(error.status ?? 500)
    .type("text")
    .send(`${error.code ?? error.name}: ${error.message}\n`);
});

const server = host.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
server.on("upgrade", supervisor.upgrade);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    server.close();
    await supervisor.close();
    server.closeAllConnections();
  });
}
