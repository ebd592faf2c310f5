export default { test: { globalSetup: "./running.js", include: ["*.spec.js"] } };
