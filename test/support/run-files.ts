/** `npm run test:file -- test/unit/x.test.ts ...`: runs test files by the names of their sources. Other flags go to Node. */
import { spawnSync } from "node:child_process";

const built = process.argv.slice(2).map((word) => word.replace(/^(?:\.\/)?test\/(.*)\.ts$/, "dist/test/$1.js"));
if (built.length === 0) throw new Error("which file? npm run test:file -- test/unit/<topic>.test.ts");
process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
