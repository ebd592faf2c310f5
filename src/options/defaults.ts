/** Where an app is served that does not say so itself. */
export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 3000;
