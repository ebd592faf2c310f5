/** The parts of noticing that are decided without events: what a look at a file says, and how looks become changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeBetween, type FileChange, mergeChanges } from "../../src/files/change-batch.js";
import { type Content, type Disk, EMPTY, FOLDER, lookAgain, MISSING, type Sight } from "../../src/files/content.js";
import { isConclusive, type Look, type Stamp } from "../../src/files/stamps.js";
import { Random, randomSource } from "../support/random.js";

const ROUNDS = Number(process.env.UNRELOADER_RANDOM_EDITS ?? 500);

/** A file system in memory whose clock ticks as slowly as a kernel's: writes within one tick get the same times. */
class FakeDisk implements Disk {
  readonly tickMs: number;
  now = 1_000_501;
  reads = 0;
  readonly #files = new Map<string, { text: string; stamp: Stamp; code?: string | undefined }>();
  #inodes = 0;

  constructor(tickMs = 4) {
    this.tickMs = tickMs;
  }

  write(file: string, text: string): void {
    const time = this.#tick();
    const ino = this.#files.get(file)?.stamp.ino ?? ++this.#inodes;
    this.#files.set(file, { text, stamp: { mtimeMs: time, ctimeMs: time, size: text.length, ino, dev: 1 } });
  }

  /** A new file beside it, renamed over it. */
  replace(file: string, text: string): void {
    this.#files.delete(file);
    this.write(file, text);
  }

  touch(file: string, mtimeMs: number): void {
    const known = this.#files.get(file);
    if (known) known.stamp = { ...known.stamp, mtimeMs, ctimeMs: this.#tick() };
  }

  forbid(file: string, code: string | undefined): void {
    const known = this.#files.get(file);
    if (known) {
      known.code = code;
      known.stamp = { ...known.stamp, ctimeMs: this.#tick() };
    }
  }

  remove(file: string): void {
    this.#files.delete(file);
  }

  content(file: string): Content {
    const known = this.#files.get(file);
    if (!known) return MISSING;
    if (known.code !== undefined) return `unreadable:${known.code}`;
    return known.text === "" ? EMPTY : `hash of ${known.text}`;
  }

  look(file: string): Look {
    const known = this.#files.get(file);
    return known ? { type: "file", stamp: known.stamp } : { type: "missing" };
  }

  link(): Content {
    return "link:";
  }

  read(file: string): Content {
    this.reads++;
    return this.content(file);
  }

  list(): string[] {
    return [...this.#files.keys()];
  }

  #tick(): number {
    return this.now - (this.now % this.tickMs);
  }
}

test("random edits: looking again sees the text that is there, however fast edits follow each other", () => {
  const seeds = randomSource("looks");
  for (let round = 0; round < ROUNDS; round++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const disk = new FakeDisk(random.pick([1, 4, 10]));
    let sight: Sight | undefined;
    for (let step = 0; step < 60; step++) {
      edit(disk, random);
      if (random.chance(0.5)) disk.now += random.pick([0, 0, 1, 3, 20, 60, 5000]);
      if (random.chance(0.6)) {
        sight = lookAgain("/a", sight, disk, disk.now);
        assert.equal(sight.content, disk.content("/a"), `edits ${seed}, step ${step}`);
      }
    }
  }
});

function edit(disk: FakeDisk, random: Random): void {
  const text = random.pick(["one", "two", "six", ""]);
  const edits = [
    () => disk.replace("/a", text),
    () => disk.remove("/a"),
    () => disk.touch("/a", random.pick([1, disk.now, disk.now + 100_000])),
    () => disk.forbid("/a", random.chance(0.5) ? "EACCES" : undefined),
    () => disk.write("/a", text),
    () => disk.write("/a", text),
  ];
  random.pick(edits)();
}

test("an unchanged file is read once, and only looked at from then on", () => {
  const disk = new FakeDisk();
  disk.write("/a", "text");
  disk.now += 100;
  let sight = lookAgain("/a", undefined, disk, disk.now);
  for (let round = 0; round < 10; round++) {
    disk.now += 100;
    sight = lookAgain("/a", sight, disk, disk.now);
  }
  assert.equal(disk.reads, 1);
});

test("a compiled text vouches for a file that was last written before", () => {
  const disk = new FakeDisk();
  disk.write("/old", "text");
  disk.now += 100;
  const compiled: Sight = { content: disk.content("/old"), time: disk.now };
  disk.write("/new", "other");
  disk.now += 100;
  assert.equal(lookAgain("/old", compiled, disk, disk.now).content, "hash of text");
  assert.equal(disk.reads, 0);
  assert.equal(lookAgain("/new", compiled, disk, disk.now).content, "hash of other");
  assert.equal(disk.reads, 1);
});

test("times in whole seconds are not trusted for two seconds", () => {
  const stamp = { mtimeMs: 5000, ctimeMs: 5000, size: 1, ino: 1, dev: 1 };
  assert.equal(isConclusive(stamp, 6900), false);
  assert.equal(isConclusive(stamp, 7100), true);
  assert.equal(isConclusive({ ...stamp, mtimeMs: 5000.25, ctimeMs: 5000.25 }, 5100), true);
});

test("a file that nobody may read is a change, not an error", () => {
  const disk = new FakeDisk();
  disk.write("/a", "text");
  const before = lookAgain("/a", undefined, disk, disk.now);
  disk.forbid("/a", "EACCES");
  const now = lookAgain("/a", before, disk, disk.now);
  assert.equal(changeBetween({ file: "/a", config: false }, before.content, now.content)?.kind, "changed");
  disk.look = () => ({ type: "unreadable", code: "EACCES" });
  assert.equal(lookAgain("/a", before, disk, disk.now).content, "unreadable:EACCES");
});

test("a look at a folder that took the file's place sees the folder", () => {
  const disk = new FakeDisk();
  disk.look = () => ({ type: "folder", stamp: { mtimeMs: 1, ctimeMs: 1, size: 1, ino: 1, dev: 1 } });
  assert.equal(lookAgain("/a", { content: "hash", time: 1_000_000 }, disk, disk.now).content, FOLDER);
});

test("a change is named by what was there before and what is there now", () => {
  const kind = (before: Content, now: Content, config = false) =>
    changeBetween({ file: "/a", config }, before, now)?.kind;
  assert.equal(kind("1", "1"), undefined);
  assert.equal(kind(MISSING, MISSING), undefined);
  assert.equal(kind("1", "2"), "changed");
  assert.equal(kind("1", MISSING), "deleted");
  assert.equal(kind(MISSING, "1"), "added");
  for (const [before, now] of [
    ["1", "2"],
    ["1", MISSING],
    [MISSING, "1"],
  ] as const)
    assert.equal(kind(before, now, true), "config");
});

test("a file that is empty or gone may be half saved", () => {
  assert.equal(changeBetween({ file: "/a", config: false }, "1", EMPTY)?.mayBeHalfSaved, true);
  assert.equal(changeBetween({ file: "/a", config: false }, "1", MISSING)?.mayBeHalfSaved, true);
  assert.equal(changeBetween({ file: "/a", config: false }, "1", "2")?.mayBeHalfSaved, false);
});

test("random edits: batches merged in any grouping say what a naive model says", () => {
  const seeds = randomSource("batches");
  const files = ["/a", "/b", "/c"];
  for (let round = 0; round < ROUNDS; round++) {
    const seed = seeds.below(2 ** 31);
    const random = new Random(seed);
    const before = new Map(files.map((file) => [file, random.pick([MISSING, "1", "2"])]));
    const now = new Map(before);
    let merged: FileChange[] = [];
    const touched = new Set<string>();
    for (let step = random.int(1, 8); step > 0; step--) {
      const reported = new Map(now);
      for (const file of files) if (random.chance(0.4)) now.set(file, random.pick([MISSING, "1", "2", "3", EMPTY]));
      const batch = files.flatMap(
        (file) => changeBetween({ file: file, config: false }, reported.get(file) ?? "", now.get(file) ?? "") ?? [],
      );
      for (const { file } of batch) touched.add(file);
      merged = mergeChanges(merged, batch);
    }
    for (const file of files) {
      const was = before.get(file);
      const is = now.get(file);
      const change = merged.find((one) => one.file === file);
      const expected = !touched.has(file) || (was === MISSING && is === MISSING) ? undefined : naiveKind(was, is);
      assert.equal(change?.kind, expected, `batches ${seed}: ${file} from ${was} to ${is}`);
    }
    assert.equal(new Set(merged.map(({ file }) => file)).size, merged.length, `batches ${seed}`);
  }
});

/** Gone through other texts and back, a file may have been compiled in between: that it was touched is enough. */
function naiveKind(was: Content | undefined, is: Content | undefined): string {
  if (is === MISSING) return "deleted";
  return was === MISSING ? "added" : "changed";
}

test("once a config file is in a batch, it stays one", () => {
  const change = (kind: FileChange["kind"]): FileChange => ({ file: "/a", kind, mayBeHalfSaved: false });
  assert.deepEqual(mergeChanges([change("config")], [change("deleted")]), [change("config")]);
  assert.deepEqual(mergeChanges([change("added")], [change("config")]), [change("config")]);
});
