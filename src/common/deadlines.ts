/**
 * How long anything in the supervisor waits, in milliseconds, with the reason. What users may want to change is an option
 * (`drain`, `watchdog`, `heldDeadline`); what stands here follows from those, or from promises that are kept by all of it
 * together: from the save that mends to an answer of the new code 1.5 s plus the app's own start, from any state.
 */

/** How long requests in flight may hold up a reload in place. Not an option: what is given up on is not waited for again. */
export const IN_PLACE_DRAIN_MS = 2000;

/** A burst of saves is one reload when its events are closer together than this, unless a request asks earlier. */
export const QUIET_MS = 50;

/**
 * A save that comes while a reload or a start is under way lets it go on for so long; then it is given up. With
 * `OBEY_MS` it makes one second, of the 1.5 s that are promised.
 */
export const SUPERSEDE_MS = 500;

/** How long a thread that is told to give up a plan has for saying that it has; after that it is replaced. */
export const OBEY_MS = 400;

/** A thread that has not beaten for so long before it took a plan is blocked: a fresh one takes over (contract, section 1). */
export const BLOCKED_MS = 1000;

/** How often main looks at the heartbeat of a thread that it waits for; the thread beats every 250 ms. */
export const PULSE_MS = 100;

/** An evaluation in place that takes longer is given up, and a fresh thread shows whether it is the code's fault. */
export const APPLY_MS = 60_000;

/** The same while the last good generation could answer instead. */
export const APPLY_WITH_LAST_GOOD_MS = 5000;

/** A start may wait for a database or a download, as long as nobody saves anything. Held requests have their own deadline. */
export const BOOT_MS = 600_000;

/** A thread that keeps something for itself (a locked folder, a UDP port) from the one that shall follow gets this long to end. */
export const MAKE_ROOM_MS = 2000;

/** How long `reload()` goes along with what is under way before it is told that nothing has changed since that began. */
export const JOIN_MS = 3000;

/** How long a callback of the host (`onDelete`) may take before it is left to itself. */
export const HOST_CALLBACK_MS = 5000;

/** How long a request waits while an app that crashes again and again is tried once more; then it gets the page. */
export const CRASH_LOOP_HOLD_MS = 800;

/** An app that has lived so long has not crashed at its start: the next crash is a first one again. */
export const STABLE_MS = 10_000;

/** When an app that crashed is started again, by the number of crashes; after these it waits for a save. */
export const CRASH_BACK_OFF_MS: readonly number[] = [0, 250, 1000, 4000];

/** What a later reload gains from is done when the first requests have had their turn. */
export const AFTER_START_MS = 500;

/** Replaced threads that may finish what they have begun at the same time: each has a whole app in memory. */
export const MOST_DRAINING = 2;

/** A thread that is asked what is stale collects garbage for it, a few times. */
export const STALE_CHECK_MS = 30_000;

/** A heap snapshot takes 2 to 4 s; of a large app on a busy machine, longer. */
export const HEAP_SNAPSHOT_MS = 120_000;

/** A thread that is to be ended by force is let out of Node's linker, which takes milliseconds unless a package loops there. */
export const LINKED_MS = 1000;

/** A file that was saved empty is most probably in the middle of a save; its ports stay open for so long. */
export const EMPTY_FILE_MS = 1000;

/** How often an end looks whether requests that it has let pass have found their server; that brings no event. */
export const CLOSE_POLL_MS = 5;
