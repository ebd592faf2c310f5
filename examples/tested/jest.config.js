export default { globalSetup: "./running.js", testMatch: ["**/*.spec.js"], transform: {} };
