import { defineConfig } from "unreloader";

export default defineConfig({ entry: "main.js", depend: { texts: ["greeting.js"] } });
