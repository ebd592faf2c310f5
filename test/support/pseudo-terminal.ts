/** A program in a terminal of its own, by the `pty` of Python; not every machine has that. */
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { DEADLINE_MS, within } from "./deadline.js";

/** Takes a line of JSON for each order, and gives a line of JSON for each piece of output and each answer. */
const PROGRAM = `
import base64, fcntl, json, os, pty, select, signal, struct, sys, termios
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
def tell(**what):
    sys.stdout.write(json.dumps(what) + "\\n")
    sys.stdout.flush()
pid, fd = pty.fork()
if pid == 0:
    size(0, 24, 80)
    os.execvp(sys.argv[1], sys.argv[1:])
orders = b""
is_open = True
while is_open:
    ready = select.select([fd, 0], [], [])[0]
    if fd in ready:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            piece = b""
        if piece:
            tell(output=base64.b64encode(piece).decode())
        else:
            is_open = False
    if 0 in ready:
        more = os.read(0, 65536)
        if not more:
            os.kill(pid, signal.SIGKILL)
            break
        orders += more
        while b"\\n" in orders:
            line, orders = orders.split(b"\\n", 1)
            order = json.loads(line)
            if "write" in order:
                os.write(fd, order["write"].encode())
            elif "size" in order:
                size(fd, *order["size"])
            elif "signal" in order:
                os.kill(pid, getattr(signal, order["signal"]))
            elif "stopped" in order:
                while not os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]):
                    pass
                tell(answer=0)
            else:
                tell(answer=termios.tcgetattr(fd)[3])
status = os.waitpid(pid, 0)[1]
tell(exit=os.waitstatus_to_exitcode(status))
`;

/** Of the mode: lines are edited by the terminal, and come when they are ended. */
const ICANON = process.platform === "darwin" ? 0x100 : 0x2;

const python = findPython();
/** For the option `skip` of a test: a reason, or false. */
export const noTerminal = python === undefined && "python3 with its module pty is needed";

function findPython(): string | undefined {
  if (process.platform === "win32") return undefined;
  const { status } = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"], { stdio: "ignore" });
  return status === 0 ? "python3" : undefined;
}

interface Waiter {
  /** Called when something has come; returns whether that was waited for. */
  look(): boolean;
}

export class PseudoTerminal implements AsyncDisposable {
  /** All that the program has written. */
  output = "";
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<unknown>;
  readonly #answers: number[] = [];
  readonly #waiters = new Set<Waiter>();
  #exit: number | undefined;
  #seen = 0;

  constructor(command: readonly string[], { cwd, env }: { cwd: string; env?: NodeJS.ProcessEnv }) {
    const rest = Object.entries(process.env).filter(([name]) => !/^(NODE_|FORCE_COLOR|NO_COLOR|npm_|CI$)/.test(name));
    this.#child = spawn(python ?? "", ["-c", PROGRAM, ...command], {
      cwd,
      env: { ...Object.fromEntries(rest), TERM: "xterm-256color", ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#closed = once(this.#child, "close");
    let text = "";
    this.#child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      const lines = (text + piece).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
      for (const waiter of this.#waiters) if (waiter.look()) this.#waiters.delete(waiter);
    });
  }

  /** Resolves when this has been written, after what was waited for before. */
  async wait(pattern: RegExp): Promise<string> {
    let found: RegExpExecArray | null = null;
    const look = (): boolean => {
      found = new RegExp(pattern, `${pattern.flags}d`).exec(this.output.slice(this.#seen));
      this.#seen += found?.indices?.[0]?.[1] ?? 0;
      return found !== null;
    };
    await this.#until(look, () => `${pattern} in ${JSON.stringify(this.output.slice(this.#seen))}`);
    return (found as unknown as RegExpExecArray)[0];
  }

  type(text: string): void {
    this.#order({ write: text });
  }

  resize(rows: number, columns: number): void {
    this.#order({ size: [rows, columns] });
  }

  signal(signal: NodeJS.Signals): void {
    this.#order({ signal });
  }

  /** Whether the terminal is in raw mode. */
  async isRaw(): Promise<boolean> {
    return (((await this.#ask({ mode: true })) ?? 0) & ICANON) === 0;
  }

  /** Resolves when the program has been stopped, as by Ctrl-Z. */
  async stopped(): Promise<void> {
    await this.#ask({ stopped: true });
  }

  /** Resolves with the exit code; negative: the number of the signal. */
  async exit(): Promise<number> {
    await this.#until(
      () => this.#exit !== undefined,
      () => `the exit; output: ${this.output}`,
    );
    return this.#exit ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await within(this.#closed, () => "the end of the terminal", DEADLINE_MS);
  }

  #order(order: object): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async #ask(order: object): Promise<number | undefined> {
    const before = this.#answers.length;
    this.#order(order);
    await this.#until(
      () => this.#answers.length > before,
      () => `an answer to ${JSON.stringify(order)}`,
    );
    return this.#answers[before];
  }

  async #until(look: () => boolean, what: () => string): Promise<void> {
    if (look()) return;
    let waiter: Waiter | undefined;
    const seen = new Promise<void>((resolve) => {
      waiter = {
        look: () => {
          const isThere = look();
          if (isThere) resolve();
          return isThere;
        },
      };
      this.#waiters.add(waiter);
    });
    await within(seen, what).finally(() => waiter && this.#waiters.delete(waiter));
  }

  #take(told: { output?: string; answer?: number; exit?: number }): void {
    if (told.output !== undefined) this.output += Buffer.from(told.output, "base64").toString("utf8");
    if (told.answer !== undefined) this.#answers.push(told.answer);
    if (told.exit !== undefined) this.#exit = told.exit;
  }
}
