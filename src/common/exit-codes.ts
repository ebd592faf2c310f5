/** Exit codes that Node has for what an app does; as its docs have them in `process`, "Exit codes". */

/** Nobody has caught an exception. */
export const UNCAUGHT = 1;
/** A listener for exceptions that nobody catches has thrown in its turn. */
export const THREW_AGAIN = 7;
/** `process.abort()`: what a shell tells of a process that SIGABRT has ended. */
export const ABORTED = 134;
