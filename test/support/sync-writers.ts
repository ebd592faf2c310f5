/**
 * How tools bring a file to where it is watched: what copies a project into a container or another machine, and editors that
 * save carefully. Each keeps its own habits: which files it makes and renames, and which times it gives them. Over when the
 * function returns, and nothing but the file is left.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";

export type Writer = (file: string, text: string, savedAt: Date) => void;

const beside = (file: string, name: string): string => path.join(path.dirname(file), name);

/** `savedAt`: when the file was saved where it comes from; the clock there may be another. */
export const writers = {
  /** A file of its own beside it, with the time of the source, is renamed. */
  rsync(file, text, savedAt) {
    const temporary = beside(file, `.${path.basename(file)}.k3Xw9Q`);
    writeFileSync(temporary, text);
    utimesSync(temporary, savedAt, savedAt);
    renameSync(temporary, file);
  },
  /** The file itself is overwritten and cut, and then gets the time of the source. */
  "rsync --inplace"(file, text, savedAt) {
    const descriptor = openSync(file, existsSync(file) ? "r+" : "w");
    writeSync(descriptor, text, 0);
    ftruncateSync(descriptor, Buffer.byteLength(text));
    closeSync(descriptor);
    utimesSync(file, savedAt, savedAt);
  },
  /** Docker Compose, Skaffold, Tilt, `kubectl cp`: removed and made again, with a time in whole seconds. */
  tar(file, text, savedAt) {
    rmSync(file, { force: true });
    writeFileSync(file, text);
    const seconds = Math.floor(savedAt.getTime() / 1000);
    utimesSync(file, seconds, seconds);
  },
  /** Staged in another folder's place, renamed, with the time of the copy. */
  mutagen(file, text) {
    const staged = beside(file, ".mutagen-temporary-cross-device-rename-123");
    writeFileSync(staged, text);
    renameSync(staged, file);
  },
  /** A folder that is mounted: as the editor on the other side does it, in pieces, and its clock counts whole seconds. */
  "bind mount"(file, text, savedAt) {
    const descriptor = openSync(file, "w");
    for (let at = 0; at < text.length; at += 3) writeSync(descriptor, text.slice(at, at + 3));
    closeSync(descriptor);
    const seconds = Math.floor(savedAt.getTime() / 1000);
    utimesSync(file, seconds, seconds);
  },
  /** The old one is moved away, and the new one made in its place. */
  vim(file, text) {
    const backup = `${file}~`;
    if (existsSync(file)) renameSync(file, backup);
    writeFileSync(file, text);
    rmSync(backup, { force: true });
  },
  /** The old one stays under another name while it is overwritten. */
  emacs(file, text) {
    const backup = `${file}~`;
    rmSync(backup, { force: true });
    if (existsSync(file)) linkSync(file, backup);
    writeFileSync(file, text);
    rmSync(backup, { force: true });
  },
  /** Written aside; the old one is moved away before the new one is moved in. */
  "safe write"(file, text) {
    writeFileSync(`${file}___jb_tmp___`, text);
    if (existsSync(file)) renameSync(file, `${file}___jb_old___`);
    renameSync(`${file}___jb_tmp___`, file);
    rmSync(`${file}___jb_old___`, { force: true });
  },
  /** Overwritten, and given back the time that it had: what keeps times, or a clock that stands still. */
  "same time"(file, text) {
    const before = existsSync(file) ? statSync(file).mtime : undefined;
    writeFileSync(file, text);
    if (before) utimesSync(file, before, before);
  },
} satisfies Readonly<Record<string, Writer>>;

export type WriterName = keyof typeof writers;
export const writerNames = Object.keys(writers) as readonly WriterName[];
/** With these, nobody ever sees the file missing or half. */
export const WHOLE_WRITERS: ReadonlySet<WriterName> = new Set(["rsync", "mutagen"]);
