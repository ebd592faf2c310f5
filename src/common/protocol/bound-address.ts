/** Where a server listens, as `server.address()` has it: a path stands for itself. */
export type PublicAddress = string | { address: string; family: string; port: number };
