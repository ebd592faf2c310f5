/** What a command has come to. */

/** 0: live or done. 1: bad usage. 3: the newest code has failed. 4: no supervisor, or not up in time. */
export type ExitCode = 0 | 1 | 3 | 4;

export interface Outcome {
  readonly answer: object;
  readonly exitCode: ExitCode;
}
