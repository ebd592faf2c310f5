/**
 * The first phase of a reload: compile what changed, resolve its specifiers, follow them to files that are new, and lay
 * the next graph beside the running one. Nothing of the running app is touched; a failure is a value, because whether it
 * matters depends on who would evaluate the file.
 */

import type { CompiledModule, PreparedModule, Resolution } from "../common/compile/compiled-module.js";
import type { Compiler } from "../common/compile/compiler.js";
import { CompileError, LinkError, SourceError } from "../common/errors.js";
import type { LinkProblem } from "../graph/links.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ModuleNode } from "../graph/module-node.js";

export interface Preparation {
  readonly graph: ModuleGraph;
  /** Code of every own file of `graph` that compiles. */
  readonly modules: ReadonlyMap<string, PreparedModule>;
  /** Files whose text or targets differ from the running ones, or that are new, or broken. */
  readonly fresh: ReadonlySet<string>;
  /** Files that do not compile, or whose static imports lead nowhere. */
  readonly failures: ReadonlyMap<string, SourceError>;
}

export interface PrepareInput {
  readonly compiler: Compiler;
  readonly graph: ModuleGraph;
  readonly modules: ReadonlyMap<string, PreparedModule>;
  readonly failures: ReadonlyMap<string, SourceError>;
  /** Files to compile again (changed, added, roots at start). */
  readonly compile: Iterable<string>;
  /** Files whose text is the same, but whose specifiers may lead elsewhere now. */
  readonly relink: Iterable<string>;
  readonly deleted: Iterable<string>;
  /** A file has been looked at. */
  readonly visited?: () => void;
}

/** Lays the next graph. Reads files; throws only for bugs. */
export function prepare(input: PrepareInput): Preparation {
  const { compiler } = input;
  const modules = new Map(input.modules);
  const failures = new Map(input.failures);
  const fresh = new Set<string>();
  const changes = new Map<string, ModuleNode>();
  const removed = new Set(input.deleted);
  for (const file of removed) {
    modules.delete(file);
    failures.delete(file);
  }

  const visit = (file: string, make: () => PreparedModule): void => {
    const queue: [string, () => PreparedModule][] = [[file, make]];
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [current, makeCurrent] = next;
      input.visited?.();
      const before = input.graph.get(current);
      let prepared: PreparedModule;
      try {
        prepared = makeCurrent();
      } catch (error) {
        failures.set(current, asSourceError(error, current));
        fresh.add(current);
        modules.delete(current);
        changes.set(current, brokenNode(current, before));
        continue;
      }
      failures.delete(current);
      const running = input.modules.get(current);
      if (running && running.compiled.hash === prepared.compiled.hash && sameTargets(running, prepared)) continue;
      fresh.add(current);
      modules.set(current, prepared);
      changes.set(current, moduleNode(prepared, before));
      for (const target of ownTargets(prepared)) {
        const known = modules.has(target) || failures.has(target) || changes.has(target);
        if (!known || removed.has(target)) {
          removed.delete(target);
          queue.push([target, () => compiler.prepare(target)]);
        }
      }
    }
  };

  for (const file of input.compile) visit(file, () => compiler.prepare(file));
  for (const file of input.relink) {
    const before = modules.get(file);
    if (!before || changes.has(file)) continue;
    let after: PreparedModule;
    try {
      after = compiler.link(before.compiled);
    } catch (error) {
      visit(file, () => {
        throw error;
      });
      continue;
    }
    if (!sameTargets(before, after)) visit(file, () => after);
  }

  for (const file of removed) failures.delete(file);
  const graph = input.graph.with(changes.values(), removed);
  return { graph, modules, failures, fresh };
}

/** Files whose static imports lead to a broken file: a fresh process could not link them either. */
export function importersOfFailures({ graph, failures }: Preparation): Set<string> {
  const importers = new Set<string>();
  for (const broken of failures.keys()) {
    const reached = [broken];
    for (let file = reached.pop(); file !== undefined; file = reached.pop()) {
      for (const importer of graph.importersOf(file)) {
        if (importers.has(importer) || !graph.get(importer)?.imports.includes(file)) continue;
        importers.add(importer);
        reached.push(importer);
      }
    }
  }
  return importers;
}

/** The first failure among the files that a fresh start would evaluate, in the order it would meet them. */
export function firstFailure({ failures }: Preparation, eager: Iterable<string>): SourceError | undefined {
  for (const file of eager) {
    const failure = failures.get(file);
    if (failure) return failure;
  }
  return undefined;
}

/** The first import, in a file that a fresh start would evaluate, of a name that its target does not export. */
export function firstLinkProblem(
  { modules }: Preparation,
  problems: readonly LinkProblem[],
  eager: ReadonlySet<string>,
): LinkError | undefined {
  const problem = problems.find(({ importer }) => eager.has(importer));
  if (!problem) return undefined;
  const importer = modules.get(problem.importer);
  const specifier = specifierOf(importer, problem.target) ?? problem.target;
  return new LinkError(
    `The requested module '${specifier}' does not provide an export named '${problem.name}'`,
    locateImport(importer, specifier),
  );
}

/** Files that `file`'s text names and that are own code: static imports, then literal requires. */
function ownTargets(prepared: PreparedModule): string[] {
  return [...ownFiles(prepared.imports), ...ownFiles(Object.values(prepared.requires))];
}

function ownFiles(resolutions: Iterable<Resolution>): string[] {
  const files: string[] = [];
  for (const resolution of resolutions) if (resolution.type === "file") files.push(resolution.file);
  return files;
}

/**
 * The graph's node for a version that has not been evaluated yet. It is taken to read what the last version read and its
 * own text still names; what the last one loaded by computed specifiers is kept (the new text most likely loads it
 * again, and it keeps its state), unless a literal `require()` of it has gone from the text.
 */
export function moduleNode(prepared: PreparedModule, before: ModuleNode | undefined): ModuleNode {
  const { compiled } = prepared;
  const target = (index: number): string | undefined => {
    const resolution = prepared.imports[index];
    return resolution?.type === "file" ? resolution.file : undefined;
  };
  const stars = compiled.stars.map(target);
  return {
    file: compiled.file,
    hash: compiled.hash,
    format: compiled.format,
    imports: ownFiles(prepared.imports),
    requires: ownFiles(Object.values(prepared.requires)),
    links: linksOf(compiled, target),
    exports: compiled.exports,
    stars: stars.filter((file) => file !== undefined),
    opaqueStars: stars.includes(undefined),
    observed: before ? intersection(before.observed, ownTargets(prepared)) : new Set(),
    globals: before?.globals,
    dynamic: before ? keptDynamic(before, new Set(ownFiles(Object.values(prepared.requires)))) : new Set(),
    monitored: before?.monitored,
    written: before?.written,
    sets: before?.sets,
    registers: before?.registers,
    evaluated: before?.evaluated ?? false,
    hot: before?.hot,
  };
}

/** In TypeScript that stands for CommonJS a name that does not exist, such as a re-exported type, is undefined. */
function linksOf(
  { imports, interop }: CompiledModule,
  target: (index: number) => string | undefined,
): ModuleNode["links"] {
  if (interop !== "none") return [];
  return imports.flatMap(({ names, whole }, index) => {
    const file = target(index);
    return file !== undefined && names.length > 0 ? [{ target: file, names, ...(whole && { whole }) }] : [];
  });
}

function intersection(before: ReadonlySet<string>, named: readonly string[]): ReadonlySet<string> {
  return new Set(named.filter((file) => before.has(file)));
}

function keptDynamic(before: ModuleNode, requires: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...before.dynamic].filter((file) => requires.has(file) || !before.requires.includes(file)));
}

/** A file that does not compile keeps its place among its importers, and what its last version used. */
function brokenNode(file: string, before: ModuleNode | undefined): ModuleNode {
  return {
    file,
    hash: "",
    format: before?.format ?? "esm",
    imports: before?.imports ?? [],
    requires: before?.requires ?? [],
    links: [],
    exports: [],
    stars: [],
    opaqueStars: true,
    observed: before?.observed ?? new Set(),
    globals: before?.globals,
    dynamic: before?.dynamic ?? new Set(),
    monitored: before?.monitored,
    written: before?.written,
    sets: before?.sets,
    registers: before?.registers,
    evaluated: before?.evaluated ?? false,
    hot: before?.hot,
  };
}

function sameTargets(a: PreparedModule, b: PreparedModule): boolean {
  return JSON.stringify([a.imports, a.requires]) === JSON.stringify([b.imports, b.requires]);
}

function specifierOf(importer: PreparedModule | undefined, target: string): string | undefined {
  const index = importer?.imports.findIndex((resolution) => resolution.type === "file" && resolution.file === target);
  return index === undefined || index < 0 ? undefined : importer?.compiled.imports[index]?.specifier;
}

/** Where the specifier stands in the importer's text. */
function locateImport(importer: PreparedModule | undefined, specifier: string) {
  if (!importer) return undefined;
  const { source, file } = importer.compiled;
  const at = Math.max(source.indexOf(`"${specifier}"`), source.indexOf(`'${specifier}'`));
  if (at < 0) return { file, line: 1, column: 1 };
  const before = source.slice(0, at);
  return { file, line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}

function asSourceError(error: unknown, file: string): SourceError {
  if (error instanceof SourceError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  // It has gone, or became unreadable, after its importer was resolved.
  if (code !== undefined) return new CompileError(`the file cannot be read: ${message}`, { file, line: 1, column: 1 });
  throw error;
}
