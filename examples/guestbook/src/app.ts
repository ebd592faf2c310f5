import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { addEntry, EntryProblem, latestEntries } from "./entries.ts";
import { gatherFacts } from "./facts.ts";
import { greeting } from "./greeting.ts";
import { page } from "./page.ts";

export function createApp(): Express {
  const app = express();

  app.get("/", async (_request, response) => {
    response.send(page(await latestEntries(), await gatherFacts()));
  });

  app.post("/entries", express.urlencoded({ extended: false }), async (request, response) => {
    await addEntry(request.body);
    response.redirect(303, "/");
  });

  app.get("/json", async (_request, response) => {
    response.json({ greeting, facts: await gatherFacts(), entries: await latestEntries() });
  });

  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof EntryProblem)) return next(error);
    response.status(400).type("text").send(`${error.message}\n`);
  });

  return app;
}
