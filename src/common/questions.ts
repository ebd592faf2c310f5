/** Questions over a port whose answers carry the number of the question. */
import { wait } from "./wait.js";

export interface Question<Answer> {
  /** Settles with the answer, or with what is said for all when the other side has gone; never rejects. */
  readonly answered: Promise<Answer>;
  /** Nobody waits any more: an answer that comes late is dropped. */
  drop(): void;
}

export class Questions<Answer> {
  /** Number -> who waits; from the question to its answer, its drop, or the end of the other side. */
  readonly #open = new Map<number, (answer: Answer) => void>();
  #last = 0;
  /** What is said for every question once the other side has gone. */
  #gone: { readonly answer: Answer } | undefined;

  /** `send` gets the number that the answer has to carry; it is not called when the other side has gone. */
  ask(send: (id: number) => void): Question<Answer> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => {
      if (this.#gone) resolve(this.#gone.answer);
      else this.#open.set(id, resolve);
    });
    if (!this.#gone) send(id);
    return { answered, drop: () => void this.#open.delete(id) };
  }

  /** The same for whom an answer after `deadlineMs` is of no use; undefined: there was none. */
  async askFor(deadlineMs: number, send: (id: number) => void): Promise<Answer | undefined> {
    const question = this.ask(send);
    const waited = await wait(question.answered, { deadlineMs });
    question.drop();
    return waited.type === "settled" ? waited.value : undefined;
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
