/** The words of the memory that the main thread shares with the app's threads about the process itself. */

/** Written by main: number of the epoch that has the process; 0: none has. */
export const OWNER = 0;
export const PROCESS_WORDS = 1;
