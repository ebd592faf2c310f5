/** First of all in a process that a launcher has started; it loads nothing. */
import { LAUNCH_VARIABLE, type LaunchOrder } from "./launch-order.js";

/** The process looks then as if it had been started as the launcher was. Undefined: nobody has launched it. */
export function takeLaunchOrder(): LaunchOrder | undefined {
  const text = process.env[LAUNCH_VARIABLE];
  if (text === undefined || process.send === undefined) return undefined;
  delete process.env[LAUNCH_VARIABLE];
  const order = JSON.parse(text) as LaunchOrder;
  process.execArgv = [...order.execArgv];
  if (order.nodeOptions !== undefined) process.env.NODE_OPTIONS = order.nodeOptions;
  return order;
}
