/**
 * Every way of saving that editors and tools have. A save has returned when the promise resolves. Each text is such that
 * a part of it cannot be evaluated, so that half of a save can never give an answer.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { copyFile, open, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

export interface SaveWay {
  readonly name: string;
  /** Nobody can see half of it. */
  readonly whole: boolean;
  /** `outside`: a folder that nobody watches, on the same disk. */
  save(file: string, text: string, outside: string): void | Promise<void>;
}

export const saveWays: readonly SaveWay[] = [
  { name: "in place", whole: false, save: (file, text) => writeFileSync(file, text) },
  { name: "in place, asynchronously", whole: false, save: (file, text) => writeFile(file, text) },
  {
    name: "renamed over",
    whole: true,
    save(file, text) {
      writeFileSync(`${file}.tmp`, text);
      renameSync(`${file}.tmp`, file);
    },
  },
  {
    name: "renamed over, from another folder",
    whole: true,
    async save(file, text, outside) {
      const beside = path.join(outside, path.basename(file));
      await writeFile(beside, text);
      await rename(beside, file);
    },
  },
  {
    name: "emptied, then written",
    whole: false,
    async save(file, text) {
      await writeFile(file, "");
      await writeFile(file, text);
    },
  },
  {
    name: "removed, then created",
    whole: false,
    async save(file, text) {
      await rm(file);
      await writeFile(file, text);
    },
  },
  {
    name: "copied over",
    whole: false,
    async save(file, text, outside) {
      const beside = path.join(outside, path.basename(file));
      await writeFile(beside, text);
      await copyFile(beside, file);
    },
  },
  {
    name: "in many small pieces",
    whole: false,
    async save(file, text) {
      const opened = await open(file, "w");
      try {
        for (let start = 0; start < text.length; start += 40) await opened.write(text.slice(start, start + 40));
      } finally {
        await opened.close();
      }
    },
  },
  {
    name: "over the old bytes, in two pieces, without emptying",
    whole: false,
    save(file, text) {
      const opened = openSync(file, constants.O_WRONLY);
      const middle = Math.floor(text.length / 2);
      writeSync(opened, text.slice(middle), middle);
      writeSync(opened, text.slice(0, middle), 0);
      closeSync(opened);
    },
  },
  {
    name: "with the old modification time",
    whole: false,
    save(file, text) {
      const { atime, mtime } = statSync(file);
      writeFileSync(file, text);
      utimesSync(file, atime, mtime);
    },
  },
  {
    name: "with a modification time long ago, renamed over",
    whole: true,
    save(file, text) {
      writeFileSync(`${file}.old`, text);
      utimesSync(`${file}.old`, 0, 0);
      renameSync(`${file}.old`, file);
    },
  },
  {
    name: "as vim does, with a backup by renaming",
    whole: false,
    save(file, text) {
      const probe = path.join(path.dirname(file), "4913");
      writeFileSync(probe, "");
      rmSync(probe);
      renameSync(file, `${file}~`);
      writeFileSync(file, text);
      rmSync(`${file}~`);
    },
  },
  {
    name: "as vim does, with a backup by copying",
    whole: false,
    save(file, text) {
      copyFileSync(file, `${file}~`);
      writeFileSync(file, text);
      rmSync(`${file}~`);
    },
  },
  {
    name: "as Emacs does, with a lock and a backup",
    whole: false,
    save(file, text) {
      const lock = path.join(path.dirname(file), `.#${path.basename(file)}`);
      symlinkSync("someone@somewhere.1:2", lock);
      renameSync(file, `${file}~`);
      writeFileSync(file, text);
      rmSync(lock);
    },
  },
  {
    name: "as JetBrains does, by two renamings",
    whole: false,
    save(file, text) {
      writeFileSync(`${file}___jb_tmp___`, text);
      renameSync(file, `${file}___jb_old___`);
      renameSync(`${file}___jb_tmp___`, file);
      rmSync(`${file}___jb_old___`);
    },
  },
  {
    name: "as VS Code does, emptied and written by one descriptor",
    whole: false,
    async save(file, text) {
      const opened = await open(file, "r+");
      try {
        await opened.truncate(0);
        await opened.write(text, 0);
        await opened.sync();
      } finally {
        await opened.close();
      }
    },
  },
];
