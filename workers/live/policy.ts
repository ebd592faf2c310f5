/** Content-Security-Policy of an answer that gets a script of ours. Pure. */

/**
 * The header's value with which one more inline script may run, and may ask its own origin: all else is as it was. Undefined:
 * the policy takes away the origin or all scripts, so that nothing would help.
 */
export function policyWith(value: string, hash: string): string | undefined {
  const policies = value.split(",").map((policy) => onePolicy(policy, hash));
  return policies.includes(undefined) ? undefined : policies.join(", ");
}

type Directive = readonly [name: string, ...values: string[]];

function onePolicy(policy: string, hash: string): string | undefined {
  const directives: Directive[] = policy.split(";").flatMap((text) => {
    const [name, ...values] = text.trim().split(/\s+/);
    return name ? [[name.toLowerCase(), ...values] as const] : [];
  });
  const sandbox = valuesOf(directives, "sandbox");
  if (sandbox && !(sandbox.includes("allow-scripts") && sandbox.includes("allow-same-origin"))) return undefined;
  const withScript = allowing(directives, ["script-src-elem", "script-src"], hash, allowsInline);
  const withBoth = allowing(withScript, ["connect-src"], "'self'", allowsOwnOrigin);
  return withBoth.map((directive) => directive.join(" ")).join("; ");
}

/** With `source` in the first of `names` that there is; else in a new one, which says what `default-src` said. */
function allowing(
  directives: readonly Directive[],
  names: readonly [string, ...string[]],
  source: string,
  allows: (values: readonly string[]) => boolean,
): readonly Directive[] {
  const name = names.find((each) => valuesOf(directives, each));
  const values = valuesOf(directives, name ?? "default-src");
  if (values === undefined || allows(values)) return directives;
  const more: Directive = [name ?? names[0], ...values.filter((each) => each.toLowerCase() !== "'none'"), source];
  if (name === undefined) return [...directives, more];
  const at = directives.findIndex(([each]) => each === name);
  return directives.with(at, more);
}

/** Of several of one name the first counts. */
function valuesOf(directives: readonly Directive[], name: string): readonly string[] | undefined {
  return directives.find(([each]) => each === name)?.slice(1);
}

function allowsInline(values: readonly string[]): boolean {
  const known = values.map((value) => value.toLowerCase());
  return known.includes("'unsafe-inline'") && !known.some((value) => /^'(?:nonce-|sha\d|strict-dynamic)/.test(value));
}

function allowsOwnOrigin(values: readonly string[]): boolean {
  return values.some((value) => value === "*" || value.toLowerCase() === "'self'");
}
