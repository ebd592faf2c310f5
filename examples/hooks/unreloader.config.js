import { defineConfig } from "unreloader";

export default defineConfig({ entry: "main.js", why: true });
