/** Where an app is served that does not say so itself. */
export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 3000;
/** What all held requests may have together in memory, unless a user says otherwise. */
export const DEFAULT_HELD_BYTES = 64 * 2 ** 20;
