/**
 * Subscribes to what outlives this file. Timers, listeners, servers and the like are undone without a word when the file is
 * replaced; of what is the app's own way to subscribe nobody knows but the app, so it says how it ends.
 */
import { unreloader } from "unreloader/app";
import { feed } from "./feed.js";

export const news = "no news";

const subscriber = () => news;
feed.subscribers.add(subscriber);
unreloader.dispose(async () => {
  feed.subscribers.delete(subscriber);
});
