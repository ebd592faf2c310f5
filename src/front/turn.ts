/**
 * Runs callbacks after one turn of the event loop, with one `setImmediate` for all that were added in a turn. By then
 * every file event that was pending when the bytes of a request were read has been delivered.
 */
export interface AfterTurn {
  afterTurn(): void;
}

/**
 * Resolves when what was written before the call has been noticed, for requests that came from no socket: the first turn
 * may end a phase of the event loop that has looked for file events already, in the second it has looked again.
 */
export async function afterFileEvents(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

export class Turn {
  #waiting: AfterTurn[] = [];
  #running: AfterTurn[] = [];

  add(member: AfterTurn): void {
    if (this.#waiting.push(member) === 1) setImmediate(this.#run);
  }

  #run = (): void => {
    const running = this.#waiting;
    this.#waiting = this.#running;
    this.#running = running;
    for (const member of running) member.afterTurn();
    running.length = 0;
  };
}
