/**
 * How long anything here waits, in milliseconds, with the reason: for both threads. Options, which users may change, are
 * only those of the first group; the others follow from those, or from promises that are kept by all of it together:
 * from the save that mends to an answer of the new code 1.5 s plus the app's own start, from any state; an end within 5 s.
 * How often something is looked up, and the thresholds of rules that wait for nothing, stand where they are used.
 */

// ---- Options: what holds unless a user says otherwise

/** Option `watchdog`: a thread that has been blocked for so long does not answer its requests any more; a page does. */
export const WATCHDOG_MS = 10_000;

/** Option `drain`: how long a worker that was replaced may go on with what it has begun. */
export const DRAIN_MS = 30_000;

/** Option `heldDeadline`: how long a request waits for the app before it gets a page. */
export const HELD_DEADLINE_MS = 60_000;

/** The argument of `close()`: requests in flight, the app's own listeners and its hooks have this together. */
export const CLOSE_MS = 5000;

// ---- Reloads

/** How long requests in flight may hold up a reload in place. Not an option: what is given up on is not waited for again. */
export const IN_PLACE_DRAIN_MS = 1000;

/**
 * A request that is this old when a reload begins had as long as a drain already, and may never end (it awaits what never
 * settles): the reload that may mend it waits for it `OLD_REQUEST_DRAIN_MS` at most, less than a restart would take
 * (`node --watch`: 280 ms). One that is slow for good reasons loses nothing that it had not before: it goes on all the same.
 */
export const OLD_REQUEST_MS = IN_PLACE_DRAIN_MS;

/** See there. Not nothing: an answer is often due at any moment. */
export const OLD_REQUEST_DRAIN_MS = 100;

/**
 * What comes on an upgraded connection waits for so long for a reload, whose dispose hooks may wait for it (the client's part of a
 * closing handshake). No option: few reloads take as long, and the rest go on as without the wait.
 */
export const OPAQUE_HOLD_MS = 500;

/** A burst of saves is one reload when its events are closer together than this. No option: a request asks earlier anyway. */
export const QUIET_MS = 50;

/** How long a command waits for the app unless it is told otherwise; `--timeout` is the option. */
export const WAIT_MS = 30_000;

/** `unreloader bench`: how long one start of the app may take. No option: it starts the app a dozen times. */
export const BENCH_START_MS = 60_000;

/** `unreloader wait` may be called beside the start: so long a supervisor may not be there yet; with `--timeout`, that time. */
export const FIND_MS = 2000;

/** See there: how often it is looked. */
export const FIND_STEP_MS = 50;

/** When all supervisors are asked, those that do not answer so soon are left out. */
export const ASK_ALL_MS = 1000;

/** How long a file that is gone or empty may be in the middle of a save. No option: requests wait for it. */
export const MID_SAVE_MS = 25;

/** One that is still empty then is most probably being written by hand; its ports stay open for so long. No option: as above. */
export const EMPTY_FILE_MS = 1000;

/** A reload that leaves the app without anything to do may be such a save: the thread ends only after so long. No option: as above. */
export const EMPTY_APP_MS = EMPTY_FILE_MS + 500;

/**
 * A save that comes while a reload or a start is under way lets it go on for so long; then it is given up. With
 * `OBEY_MS` it makes one second, of the 1.5 s that are promised: no option.
 */
export const SUPERSEDE_MS = 500;

/** How long a thread that is told to give up a plan has for saying that it has; after that it is replaced. No option: see above. */
export const OBEY_MS = 400;

/**
 * A thread that has not beaten for so long before it took a plan, or in code of before a reload, is blocked: a fresh one
 * takes over. No option: `watchdog` is how long code may block when nobody has saved; who has saved does not want to wait for it.
 */
export const BLOCKED_MS = 1000;

/** How often main looks at the heartbeat of a thread that it waits for; the thread beats every 250 ms. */
export const PULSE_MS = 100;

/** An evaluation in place that takes longer is given up. No option: a fresh thread then shows whether it is the code's fault. */
export const APPLY_MS = 60_000;

/** The same while the last good generation could answer instead. */
export const APPLY_WITH_LAST_GOOD_MS = 5000;

/** How long `reload()` goes along with what is under way, which has the newest files. No option: it is told so, and may ask again. */
export const JOIN_MS = 3000;

/**
 * An app that has taken an error that nobody caught closes its servers and ends, as a rule: so long the ports of those that it closes
 * stay open for the fresh worker. No option: only an app that closes them and goes on is later for it.
 */
export const MAY_END_MS = 10_000;

/** How often an end looks whether requests that it has let pass have found their server; that brings no event. */
export const CLOSE_POLL_MS = 5;

/** When it is told what a reload, a start or a blocked thread waits for, and told again. No option: nothing else depends on it. */
export const TOLD_AFTER_MS: readonly number[] = [2000, 10_000];

// ---- Starts

/** How often it is looked whether a port that the app wants has become free. No option: nobody waits but people. */
export const PORT_LOOK_MS = 500;

/** So long the system may take to say who has a port. No option: it is said without, then. */
export const PORT_OWNER_MS = 1000;

/** When it is told that a start compiles, and again after twice as long. No option: nothing depends on it. */
export const COMPILING_TOLD_MS = 1000;

/** A start may wait for a database or a download, as long as nobody saves anything. No option: held requests have `heldDeadline`. */
export const BOOT_MS = 600_000;

/**
 * How long `start()` and `listen()` wait for the app's first server, or for it to have nothing left to do. No option: an app
 * that works off a queue never listens, and one that listens later does so all the same.
 */
export const START_SETTLED_MS = 60_000;

/** What may never end (a promise, a child process) may lead to a `listen()` for so long. No option: a rule of thumb, which docs/reload.md tells. */
export const UNSURE_START_MS = 10_000;

/** A socket that was connected or written to, with nobody who awaits an answer, may lead to one for so long. No option: as above. */
export const BRIEF_START_MS = 2000;

/**
 * What an evaluation has left behind is followed for so long after the app listens, as long as something of it is under way: what
 * it sets then (timers, listeners) is the module's. No option: requests are dearer meanwhile, on Node 20 and 22.
 */
export const LEFT_BEHIND_MS = 10_000;

/** Files that an entry reads before it serves or listens count as read at its start, for so long. No option: nobody waits for it. */
export const START_READS_MS = 10_000;

/** Files that modules go on reading by callbacks and promises when they have been evaluated: requests wait for that after a reload. No option: as above. */
export const LATE_READS_MS = 1000;
export const READS_POLL_MS = 5;

/** An app that has not listened by then is told so, once. No option: it goes on, and may listen later. */
export const NO_SERVER_MS = 3000;

/** A request of the host, for an app that neither listens nor exports an app by then, is told so. No option: it can ask again. */
export const SERVER_WAIT_MS = 10_000;

/** How long `listen()` sleeps for the main thread's answer before it goes on without. No option: it takes well below 1 ms. */
export const LISTEN_ANSWER_MS = 2000;

/**
 * How long `process.chdir()` and the like sleep until the main thread has done it; then they throw. No option: it takes well
 * below 1 ms, and as long as what the main thread is busy with.
 */
export const PROCESS_CALL_MS = 10_000;

/** Looking up the host of an exported app's port may take so long; then the start goes on without. No option: it may open later. */
export const EXPORTED_LISTEN_MS = 5000;

/** What a later reload gains from is done when the first requests have had their turn. No option: nobody waits for it. */
export const AFTER_START_MS = 500;

/** Finding out whether file events arrive may take so long. No option: files are polled then. */
export const EVENT_PROBE_MS = 1000;

/** A machine that is busy may take so long to begin with a watch: that says nothing about its events. No option: as above. */
export const WATCH_BEGINS_MS = 30_000;

// ---- Crashes

/** When an app that crashed is started again, by the number of crashes; after these it waits for a save. No option: a save is quicker. */
export const CRASH_BACK_OFF_MS: readonly number[] = [0, 250, 1000, 4000];

/** When code is tried again that failed because clients had taken all descriptors. No option: others may leave at any time. */
export const LACK_MS = 4000;

/** An app that has lived so long has not crashed at its start: the next crash is a first one again. */
export const STABLE_MS = 10_000;

/** How long a port that is closed waits for the launcher to let go of its copy. No option: a launcher that runs takes a millisecond. */
export const DROP_COPY_MS = 1000;

/** A thread whose app has crashed has ended after this time, or is ended by force. No option: its last code ran before it is known. */
export const CRASHED_MS = 300;

/** How long a request waits while an app that crashes again and again is tried once more. No option: the page is promised within 1 s. */
export const CRASH_LOOP_HOLD_MS = 800;

// ---- Code of the app and of the host that is called when old code goes

/**
 * A hook, a listener of `import.meta.hot`, a clean-up, a callback of the host (`onDelete`): what takes longer is reported and
 * left to itself. No option: hooks that need more can do it without being awaited. docs say it.
 */
export const HOOK_MS = 5000;

/** How long what is under way in a library may keep the thread from ending. No option: part of `CLOSE_MS`. */
export const ADAPTER_END_MS = 2000;

/** A query that runs when the thread ends may go on by itself for so long; then it is interrupted. No option: part of `ADAPTER_END_MS`. */
export const QUERY_END_MS = 500;

/** A child process that has not ended so long after SIGTERM gets SIGKILL. No option: it has to be within `HOOK_MS`. docs say it. */
export const CHILD_END_MS = 2000;

// ---- Threads

/** A thread that keeps something for itself (a locked folder, a UDP port) from the one that shall follow gets this long to end. No option: the start waits. */
export const MAKE_ROOM_MS = 2000;

/**
 * A replaced thread with nothing in flight ends before the next one begins, if it does so within this time: dispose hooks
 * that take longer, or never end, run beside the new code. No option: it is part of what a restart costs.
 */
export const GOES_FIRST_MS = 1000;

/** Beyond all its deadlines, before a thread is ended by force. No option: one that is busy for ever uses none of them. */
export const FORCE_AFTER_MS = 1000;

/** A thread that is to be ended by force is let out of Node's linker: milliseconds, unless a package loops there. No option: as above. */
export const LINKED_MS = 1000;

/** The end of a thread waits until it has loaded the runtime, or Node 20 may abort; a busy machine took over 2 s. No option: rare. */
export const THREAD_LOAD_MS = 10_000;

/** A thread that is to be ended by force ends its HTTP/2 sessions first: some 10 ms, unless it is in native code. No option: as above. */
export const SESSIONS_MS = 1000;

/** The standby thread may load packages for so much longer than they took before. No option: a restart then starts cold. */
export const STANDBY_EXTRA_MS = 1000;

/** How long the place where a thread is stuck may take to be found. No option: it is told without. */
export const PLACE_MS = 1000;

/** How long a thread that is not blocked has to say what it waits for. No option: it is told without. */
export const WAITS_TOLD_MS = 1000;

/** How long the panel waits for what modules have created. No option: it is shown without. */
export const PANEL_TOLD_MS = 500;

/** `process.on(signal)` sleeps so long until main listens for it, too: below 1 ms unless main is busy. No option: as for `listen()`. */
export const SIGNAL_KNOWN_MS = 1000;

/** How long a thread has to say whether its app listens for a signal. No option: one that is blocked needs a fresh one anyway. */
export const SIGNAL_HEARD_MS = 1000;

/** A thread that is asked what is stale collects garbage for it, a few times. No option: nothing else waits. */
export const STALE_CHECK_MS = 30_000;

/** A heap snapshot takes 2 to 4 s; of a large app on a busy machine, longer. No option: who asked for it can end it. */
export const HEAP_SNAPSHOT_MS = 120_000;

/** The thread sleeps until main and other threads read standard input no more, where it cannot wait for a message. No option: then both read. */
export const INPUT_TURN_MS = 1000;

/** The terminal's keys come back so long after the app has stopped reading it: what is typed ahead is the next prompt's. No option: --no-keys. */
export const KEYS_BACK_MS = 1000;

/** How often is looked whether a pipe has taken what the app writes, before a line of our own. No option: who reads it is slow. */
export const PIPE_LOOK_MS = 5;

/** What the app has written to a reader that is slow, before its thread ends. No option: Node throws it away at process.exit(). */
export const FLUSH_MS = 1000;

/** At `process.exit()`, for work of the app's that waits for a thread of Node's pool to begin; Node waits for ever. */
export const POOL_BEGINS_MS = 3000;

/** What the app's listeners for exceptions have begun about a failed start, before its thread ends. No option: the next start waits. */
export const FAILED_START_MS = 500;

// ---- Connections

/** The old server ends its socket when it is told that no more will come; if it does not, it is dropped. No option: the client is not concerned. */
export const LEAVE_MS = 1000;

/** A worker's sockets close before its death is known: this long a request waits for the reason. No option: then it is told without. */
export const DEATH_REASON_MS = 2000;

/** After the app ended its half of a connection, it usually closes the rest very soon. No option: it looks the same to the client. */
export const CLOSE_CHECK_MS = 200;

/** How long a client may go on sending after the page that ends its connection. No option: it has its answer. */
export const GOODBYE_MS = 1000;

/** A client that has connected for a page, over TLS or HTTP/2, and asks nothing: it finds the app on its next connection. No option: as above. */
export const OWN_SESSION_MS = 5000;

/** A request's body is read so long before its page goes out anyway: closing on unread bytes would reset the client. No option. */
export const BODY_WAIT_MS = 1000;

// ---- The end of the process by a signal. No options: 5 s are promised in all

/** What an app that is told to end by a signal has in all, unless the option `drain` says otherwise. */
export const SIGNAL_END_MS = 5000;

/** Of that, what is left to force the end of what has not ended: requests in flight, the app's own listeners and its hooks have the rest. */
export const SIGNAL_SPARE_MS = 500;

/** Of that, what is left when a thread that was ended by force still runs. */
export const SIGNAL_FORCED_MS = 300;

/** Then it is in native code, which keeps even `process.exit()` waiting: so long, and the signal ends the process. */
export const SIGNAL_LAST_MS = 200;

/** The same where that need not be so: a busy machine takes its time for `process.exit()`. */
export const SIGNAL_NATIVE_MS = 1000;

/** A thread that was ended takes some milliseconds; one that is not over by then is taken to be in native code. */
export const SIGNAL_ENDED_MS = 200;

/** A process whose main thread hears of no signal for so long is ended by its launcher; the rest of the 5 s is for that. */
export const SIGNAL_UNHEARD_MS = 4000;

/** A request that meets a blocked thread waits so long for the fresh one that a save brings; then it gets the page. No option. */
export const TAKE_OVER_MS = 1500;
