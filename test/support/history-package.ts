/**
 * A package `history` for apps under test: what they note there stays, whatever is reloaded. (A list in a module, on
 * `globalThis` or on `process` is taken back with the modules that write to it; what a package keeps, too, when a module
 * does not give it any more: a proxy is not looked behind.)
 */
export const historyPackage: Readonly<Record<string, string>> = {
  "node_modules/history/package.json": `{ "name": "history", "main": "index.js" }\n`,
  "node_modules/history/index.js": `const lists = new Map();
const list = (name) => lists.get(name) ?? lists.set(name, []).get(name);
const hidden = (made) => new Proxy(made, {});
exports.note = hidden((what, name = "") => void list(name).push(what));
exports.all = hidden((name = "") => [...list(name)]);
exports.take = hidden((name = "") => list(name).splice(0));
`,
};
