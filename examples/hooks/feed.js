/** Stands for what is costly to open: `keep` gives every later version of this file, and every other caller, the same one. */
import { unreloader } from "unreloader/app";

let opened = 0;

function open() {
  opened++;
  return { opened, subscribers: new Set() };
}

export const feed = await unreloader.keep("feed", open, () => console.log("feed closed"));
