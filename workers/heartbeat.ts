/** The words by which main sees this thread, and the beat in them, which shows that its event loop turns. */
import { BEAT_MS, ThreadBoard } from "../src/common/protocol/thread-board.js";
import { OWN_THREAD_ID } from "./main-thread/own-thread.js";

/** The thread's board, with its heartbeat. */
export class Heart {
  #board: ThreadBoard;
  #stop: () => void;
  #isOver = false;
  /** Called with every beat. */
  beating: (() => void) | undefined;

  constructor(board: SharedArrayBuffer) {
    this.#board = new ThreadBoard(board);
    this.#stop = startHeartbeat(this.#board, () => this.beating?.());
  }

  get board(): ThreadBoard {
    return this.#board;
  }

  /** Main ends the thread by force, or the app has ended it: what has come and was not begun is for another one. */
  get isEnding(): boolean {
    return this.#isOver || this.#board.isEnding;
  }

  /** The app has ended the thread, or has crashed. */
  end(): void {
    this.#isOver = true;
  }

  /** Main looks at another board from here on. */
  moveTo(board: SharedArrayBuffer): void {
    this.#stop();
    this.#board = new ThreadBoard(board);
    this.#stop = startHeartbeat(this.#board, () => this.beating?.());
  }
}

/**
 * Beats at once and then for as long as the event loop turns, until the returned function is called. Does not keep the
 * thread alive. To be called before the app has had a chance to replace `setInterval`.
 */
export function startHeartbeat(board: ThreadBoard, beating?: () => void): () => void {
  board.start(OWN_THREAD_ID);
  const timer = setInterval(() => {
    board.beat();
    beating?.();
  }, BEAT_MS);
  timer.unref();
  return () => clearInterval(timer);
}
