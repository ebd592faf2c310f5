/**
 * A queue consumer: no server, no port. The queue stays connected here, and each job is run by the newest code. The queue
 * of this example is standard input, a job a line. Run it in a clone:
 *   npm run build && echo '{ "name": "greet", "args": ["Ada"] }' | node examples/queue/consumer.js
 */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createSupervisor } from "unreloader";

const supervisor = createSupervisor({ entry: fileURLToPath(new URL("jobs/main.js", import.meta.url)) });

for await (const line of createInterface({ input: process.stdin })) {
  const { name, args } = JSON.parse(line);
  try {
    // A job that hangs is told to stop, by the signal that it gets as its last argument.
    const result = await supervisor.call(name, ...args, AbortSignal.timeout(5000));
    console.log(JSON.stringify({ name, result }));
  } catch (error) {
    // What the job threw, or what is wrong with its code: the next job finds the next save.
    console.log(JSON.stringify({ name, code: error.code, error: error.message }));
  }
}
await supervisor.close();
