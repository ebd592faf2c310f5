/** The built command line as the fuzzer runs it: its start, its descriptors and memory, its end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { within } from "./deadline.js";
import type { EpisodeOptions } from "./fuzz-cli-steps.js";
import { OutputLines } from "./output-lines.js";
import { cliFile } from "./project.js";
import type { TempApp } from "./temp-app.js";

const LISTENING = /listening on https?:\/\/\S+:(\d+)/;

let helpText: string | undefined;

/** Flags that this build of the command line knows. */
function known(flag: string): boolean {
  helpText ??= execFileSync(process.execPath, [cliFile, "--help"], { encoding: "utf8" });
  return helpText.includes(flag);
}

function flagsOf(options: EpisodeOptions): string[] {
  const flags: string[] = [];
  if (known("--watchdog")) flags.push("--watchdog", String(options.watchdog));
  if (known("--drain")) flags.push("--drain", String(options.drain));
  if (known("--held-deadline")) flags.push("--held-deadline", String(options.heldDeadline));
  if (known("--no-standby") && !options.standby) flags.push("--no-standby");
  if (options.lastGood) flags.push("--on-error", "last-good");
  return flags;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class FuzzedProcess {
  readonly lines = new OutputLines();
  readonly log: string;
  readonly exit: Promise<Ended>;
  readonly #child: ChildProcess;
  #ended: Ended | undefined;

  constructor(app: TempApp, options: EpisodeOptions) {
    this.log = path.join(app.folder, "..", "begun.log");
    const command = [process.execPath, cliFile, ...flagsOf(options), "main.js"];
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, FORCE_COLOR: _color, ...rest } = process.env;
    const limited = options.descriptors !== undefined;
    const child = spawn(
      limited ? "/bin/sh" : process.execPath,
      limited ? ["-c", limit(options), "sh", ...command] : command.slice(1),
      {
        cwd: app.folder,
        env: { ...rest, PORT: "0", PORT2: "0", TMPDIR: app.scratch, FUZZ_LOG: this.log },
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own: nothing of it may be left after the end.
        detached: true,
      },
    );
    this.#child = child;
    this.lines.follow(child.stdout);
    this.lines.follow(child.stderr);
    const kill = () => this.kill();
    process.once("exit", kill);
    this.exit = once(child, "close").then(([code, signal]) => {
      process.off("exit", kill);
      this.#ended = { code, signal };
      return this.#ended;
    });
  }

  get ended(): Ended | undefined {
    return this.#ended;
  }

  /** Resolves with the public ports, once `count` are open. */
  async ports(count: number): Promise<number[]> {
    for (;;) {
      const ports = this.lines.matching(LISTENING).map((line) => Number(LISTENING.exec(line)?.[1]));
      if (ports.length >= count) return ports;
      const since = this.lines.all.length;
      const more = this.lines.wait(LISTENING, since);
      more.catch(() => {});
      const first = await Promise.race([more, this.exit]);
      if (typeof first !== "string") throw new Error(`ended with ${JSON.stringify(first)} before listening`);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with how it ended. */
  async end(signal: NodeJS.Signals, ms: number): Promise<Ended> {
    this.#child.kill(signal);
    return within(this.exit, `the end after ${signal}`, ms);
  }

  /** Ends whatever is left of the process and of those that it started. */
  kill(): void {
    if (this.#child.pid !== undefined) killGroup(this.#child.pid);
  }

  /** Whether any process of its group lives. */
  get groupLives(): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      process.kill(-this.#child.pid, 0);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }

  /** Open descriptors; undefined where the system does not tell. */
  descriptors(): number | undefined {
    return this.#proc((pid) => readdirSync(`/proc/${pid}/fd`).length);
  }

  /** Resident memory in MB; undefined where the system does not tell. */
  memory(): number | undefined {
    return this.#proc((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    });
  }

  /** What the descriptors are, counted by kind. */
  descriptorKinds(): string {
    const kinds = new Map<string, number>();
    this.#proc((pid) => {
      const links = execFileSync("ls", ["-l", `/proc/${pid}/fd`], { encoding: "utf8" });
      for (const line of links.split("\n")) {
        const target = / -> (.*)$/.exec(line)?.[1]?.replace(/\d+/g, "N");
        if (target !== undefined) kinds.set(target, (kinds.get(target) ?? 0) + 1);
      }
    });
    return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
  }

  /** Of the process that the launcher has started. */
  #proc<T>(read: (pid: string) => T): T | undefined {
    if (process.platform !== "linux") return undefined;
    try {
      const [pid] = readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, "utf8").split(" ");
      return pid === undefined || pid === "" ? undefined : read(pid);
    } catch (error) {
      if (this.#ended !== undefined || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function limit(options: EpisodeOptions): string {
  return `ulimit -n ${options.descriptors}; exec "$@"`;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether anybody accepts connections on `port`. */
export async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
