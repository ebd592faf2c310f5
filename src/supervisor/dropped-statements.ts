/** What new versions of modules do not do to packages any more that the old ones did. */
import type { CompiledModule } from "../common/compile/compiled-module.js";
import type { PackageStatement } from "../common/compile/package-statements.js";
import type { DroppedStatement } from "../common/protocol/orders.js";

/** `before`: versions that are purged; `after`: those that are evaluated. A statement may have moved from one file to another. */
export function droppedStatements(
  before: readonly CompiledModule[],
  after: readonly CompiledModule[],
): DroppedStatement[] {
  const old = before.flatMap(({ file, effects }) => (effects.packageStatements ?? []).map((one) => ({ ...one, file })));
  if (old.length === 0) return [];
  const now = after.flatMap(({ effects }) => effects.packageStatements ?? []);
  const left = new Map<string, number>();
  for (const one of now) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  const dropped = old.filter((one) => {
    const count = left.get(keyOf(one)) ?? 0;
    left.set(keyOf(one), count - 1);
    return count <= 0;
  });
  return dropped.map(({ file, of, target, text }) => {
    const others = now.filter((one) => one.of === of);
    const isChanged = others.some((one) => one.target === target);
    return { file, of, target, text, isChanged, present: others.map((one) => one.text).join("\n") };
  });
}

const keyOf = ({ of, text }: PackageStatement): string => `${of}\n${text}`;
