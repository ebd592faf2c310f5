import { db } from "./db.js";
import { client } from "./global-db.js";

const TITLE = "clients";

export const answer = async () => `${TITLE}: ${await db.count()}, ${await client.count()}`;
