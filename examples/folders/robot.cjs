/** One class in several files: each file in `robot` adds a method. */
const { unreloader } = require("unreloader/app");

module.exports = class Robot {};
unreloader.requireSync("./robot");
unreloader.recordSplitClass(__filename, "./robot");
