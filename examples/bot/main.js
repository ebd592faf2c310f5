/**
 * A bot that polls, as Telegram's do: no server. Each update is handled by the newest code. What polls is in this file; edit
 * commands.js, and it goes on. Edit this file, and the poll that is under way is given up before the next one begins, so that
 * the other side never sees two.
 *   API=https://api.telegram.org/bot<TOKEN> npx unreloader main.js
 */
import { unreloader } from "unreloader/app";
import { reply } from "./commands.js";

const { API = "http://127.0.0.1:8081/bot" } = process.env;
const polling = new AbortController();
/** What has been handled, so that no update is handled twice: it outlives reloads of this file. */
const seen = unreloader.keep("seen", () => ({ offset: 0 }));

async function poll() {
  const state = await seen;
  while (!polling.signal.aborted) {
    try {
      const response = await fetch(`${API}/getUpdates?timeout=25&offset=${state.offset}`, { signal: polling.signal });
      const { result } = await response.json();
      for (const { update_id, message } of result) {
        state.offset = update_id + 1;
        await send(message.chat.id, reply(message.text));
      }
    } catch (error) {
      if (polling.signal.aborted) return;
      console.error(error.message);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function send(chat, text) {
  const body = JSON.stringify({ chat_id: chat, text });
  await fetch(`${API}/sendMessage`, { method: "POST", headers: { "content-type": "application/json" }, body });
}

const done = poll();
unreloader.dispose(async () => {
  polling.abort();
  await done;
});
