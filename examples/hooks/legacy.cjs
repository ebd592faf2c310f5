/** CommonJS holds what it has required before: it requires it again when there is a new version. */
let words = require("./words.cjs");

module.hot?.accept("./words.cjs", () => {
  words = require("./words.cjs");
});

exports.text = () => words.join(" ");
