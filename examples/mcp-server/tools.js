/** Edit this file while a client is connected. */
const inputSchema = { type: "object", properties: { name: { type: "string" } } };

export const tools = () => [{ name: "greet", description: "Greets somebody", inputSchema }];

export function call(tool, { name = "nobody" } = {}) {
  if (tool !== "greet") throw new Error(`no tool ${tool}`);
  return `Hello ${name}`;
}
