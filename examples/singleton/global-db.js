/** As Prisma's documentation has it for servers that reload: this works as well, but nobody closes the client. */
import { Client } from "./client.js";

globalThis.client ??= new Client();
export const client = globalThis.client;
