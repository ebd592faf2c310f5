/** For Vitest and Jest alike. */
const { expect, test } = globalThis.expect ? globalThis : await import("vitest");

test("the app adds", async () => {
  expect(await (await fetch(`${process.env.APP}/1/2`)).text()).toBe("3");
});
