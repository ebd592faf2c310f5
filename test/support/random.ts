/** Repeatable randomness for tests. */
import { Random } from "../../bench/random.js";

export { Random };

/** The seed of this run: UNRELOADER_SEED, or a new one. */
export function runSeed(): number {
  const given = process.env.UNRELOADER_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/** Randomness for the test `name`, with its seed printed, so that a failure can be repeated. */
export function randomSource(name: string, seed = runSeed()): Random {
  console.log(`# ${name}: UNRELOADER_SEED=${seed}`);
  return new Random(seed);
}
