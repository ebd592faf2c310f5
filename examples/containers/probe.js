/**
 * A probe that runs in the container: `node probe.js ready` ends with 0 when the newest code runs, `node probe.js live` when
 * unreloader does. Its endpoints answer only this machine.
 */
const [, , what = "ready"] = process.argv;
try {
  const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/__unreloader/${what}`);
  process.exitCode = ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
