/** The way to put a question over a port: its answer, its deadline, its abort and the end of the other side are one promise. */
import { debuglog } from "node:util";
import { type Waited, type WaitLimits, wait } from "../wait.js";

const debug = debuglog("unreloader");

export interface AskLimits extends WaitLimits {
  /** For people: `what the thread waits for`. */
  readonly whatFor: string;
}

export interface Question<Answer> {
  readonly id: number;
  /** Settles with the answer, or with what is said for all when the other side has gone; never rejects. */
  readonly answered: Promise<Answer>;
  /** Nobody waits any more: an answer that comes late is dropped. */
  drop(): void;
}

/** The questions over one port; each answer carries the number of its question. */
export class Questions<Answer> {
  /** Number -> who waits; from the question to its answer, its drop, or the end of the other side. */
  readonly #open = new Map<number, (answer: Answer) => void>();
  #last = 0;
  /** What is said for every question once the other side has gone. */
  #gone: { readonly answer: Answer } | undefined;

  /** `send` gets the number that the answer has to carry; it is not called when the other side has gone. */
  async ask(send: (id: number) => void, { whatFor, ...limits }: AskLimits): Promise<Waited<Answer>> {
    const question = this.open(send);
    const waited = await wait(question.answered, limits);
    question.drop();
    if (waited.type === "late") debug("not answered in %d ms: %s", limits.deadlineMs, whatFor);
    return waited;
  }

  /** The same for a question that is waited for in several steps, each with a deadline. */
  open(send: (id: number) => void): Question<Answer> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => {
      if (this.#gone) resolve(this.#gone.answer);
      else this.#open.set(id, resolve);
    });
    if (!this.#gone) send(id);
    return { id, answered, drop: () => void this.#open.delete(id) };
  }

  answer(id: number, answer: Answer): void {
    this.#open.get(id)?.(answer);
    this.#open.delete(id);
  }

  /** The other side has gone: that is the answer to all that is open, and to all that comes. */
  end(answer: Answer): void {
    this.#gone = { answer };
    for (const id of [...this.#open.keys()]) this.answer(id, answer);
  }
}
