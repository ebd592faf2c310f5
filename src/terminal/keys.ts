/** Single keys while running in a terminal. */

export interface KeyActions {
  reload(): void;
  restart(): void;
  explain(): void;
  explainLeak(): void;
  quit(): void;
}

const CTRL_C = "\u0003";

/** Listens to single keys when standard input is a terminal; does nothing otherwise. Does not keep the process alive. */
export function watchKeys(actions: KeyActions, input: NodeJS.ReadStream = process.stdin): void {
  if (!input.isTTY) return;
  input.setRawMode(true);
  input.setEncoding("utf8");
  input.on("data", (key: string) => {
    if (key === "r") actions.reload();
    else if (key === "R") actions.restart();
    else if (key === "w") actions.explain();
    else if (key === "l") actions.explainLeak();
    else if (key === "c") console.clear();
    else if (key === "q" || key === CTRL_C) actions.quit();
  });
  input.unref();
}
