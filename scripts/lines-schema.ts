/** schema/lines.json: what `--log-format json` prints. Pure. */
import { toJSONSchema } from "zod";
import { line } from "../src/reports/line-schema.js";

export function linesSchema(): string {
  const schema = toJSONSchema(line, { io: "output", unrepresentable: "any" }) as Record<string, unknown>;
  const titled = { $schema: schema.$schema, title: "a line of unreloader --log-format json", ...opened(schema) };
  return `${JSON.stringify(titled, undefined, 2)}\n`;
}

/** Later versions may say more. */
function opened(schema: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === "additionalProperties" && value === false ? undefined : value,
  );
  return JSON.parse(text) as Record<string, unknown>;
}
