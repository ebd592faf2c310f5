/**
 * OpenTelemetry for all that the app does, loaded before it: NODE_OPTIONS="--import ./telemetry.js" npx unreloader main.js
 * Instrumentation wraps packages and node:http, which stay when your files are reloaded, so spans go on.
 */
import { register } from "node:module";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { ConsoleSpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

register("@opentelemetry/instrumentation/hook.mjs", import.meta.url);
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] }).register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
