/**
 * ES module text to the body of a function, by edits in place: lines never move. compiled-module.ts has the convention. (Above 350
 * lines: every kind of statement has its edit here, and all write to one text.)
 */
import { awaitMark } from "./await-mark.js";
import { addLexicalNames, addPatternNames, isName, propertyKey } from "./bindings.js";
import { insertCells } from "./cells.js";
import { registerClass, registerDecorated } from "./class-registration.js";
import { type CommonJsInterop, commonJsPrologue, variable } from "./commonjs-prologue.js";
import type { ImportRecord, PassedOn } from "./compiled-module.js";
import { createsRequire, declares } from "./declared-names.js";
import { privateGetters } from "./private-bindings.js";
import { isUpdated, type LoweredSyntax, type Reference } from "./reference.js";
import { findReferences } from "./references.js";
import {
  type Rewritten,
  requiredSpecifier,
  rewriteDynamicImport,
  rewriteHashbang,
  unsupportedPhase,
} from "./rewrite.js";
import type {
  ExportDefaultDeclaration,
  ImportAttribute,
  ModuleExportName,
  Program,
  StringLiteral,
} from "./syntax-tree.js";
import { blanked, functionNameOffset, skipTrivia, TextEdits } from "./text-edits.js";

/** Stands for the value of an `export default` that has no name of its own. */
export const DEFAULT = "__ur_default";
/** Stands for an import where the text assigns to it: like an import, a constant. */
const CONSTANT = "__ur_constant";

/** What a local name of an import stands for; `name` is undefined for the namespace. */
interface Import {
  readonly index: number;
  readonly name: string | undefined;
}

export interface EsmOptions {
  /** The module has the CommonJS names in scope (TypeScript with import syntax in a CommonJS package). */
  readonly commonJsNames: boolean;
  /** The text is for Node's own CommonJS loader, with this reading of an import; nothing in it is told to our runtime. */
  readonly forNode?: CommonJsInterop;
  /** Functions get cells; see cells.ts. */
  readonly cells?: boolean;
}

/** Edits for a text parsed as a module. Throws SyntaxProblem for what cannot be compiled. */
export function rewriteEsm(text: string, program: Program, options: EsmOptions): Rewritten {
  return new EsmRewrite(text, program, options).run();
}

class EsmRewrite {
  readonly #text: string;
  readonly #program: Program;
  readonly #edits = new TextEdits();
  readonly #imports: {
    specifier: string;
    attributes: Record<string, string> | null;
    names: Set<string>;
    whole: boolean;
  }[] = [];
  /** Specifier and attributes to index in #imports. */
  readonly #importIndex = new Map<string, number>();
  /** Local name to what it stands for; all top-level imports of the text. */
  readonly #locals = new Map<string, Import>();
  /** Local names that must exist in their target: read somewhere else than in decorator metadata. */
  readonly #read = new Set<string>();
  /** Local names that are read in decorator metadata. */
  readonly #metadata = new Set<string>();
  /** Start offsets of the metadata types that have been made late. */
  readonly #lateTypes = new Set<number>();
  /** Exported name to the expression that reads it. */
  readonly #getters = new Map<string, string>();
  readonly #passedOn: PassedOn[] = [];
  readonly #stars = new Set<number>();
  #namesDefault = false;
  /** What is to be inserted behind the value of an `export default`. */
  #defaultEnd: [at: number, text: string] | undefined;
  #needsConstant = false;
  readonly #options: EsmOptions;

  constructor(text: string, program: Program, options: EsmOptions) {
    this.#text = text;
    this.#program = program;
    this.#options = options;
  }

  run(): Rewritten {
    const { commonJsNames, forNode, cells } = this.#options;
    const { body } = this.#program;
    rewriteHashbang(this.#text, this.#edits);
    if (cells) insertCells(this.#program, this.#text, this.#edits);
    // Imports first: they are hoisted, and `export { imported }` may come before them. Re-exports count in their order.
    for (const statement of body) {
      const source = "source" in statement ? statement.source : null;
      if (!source || !("attributes" in statement)) continue;
      const index = this.#import(source, statement.attributes);
      if (statement.type !== "ImportDeclaration") continue;
      if (statement.phase) throw unsupportedPhase(statement.phase, statement.start);
      for (const specifier of statement.specifiers) {
        const name =
          specifier.type === "ImportNamespaceSpecifier"
            ? undefined
            : specifier.type === "ImportDefaultSpecifier"
              ? "default"
              : exportName(specifier.imported);
        this.#locals.set(specifier.local.name, { index, name });
      }
      this.#drop(statement.start, statement.end);
    }
    this.#exports();

    const tracked = new Set(this.#locals.keys());
    const tracksRequire = commonJsNames
      ? !(this.#locals.has("require") || declares(this.#program, "require"))
      : createsRequire(this.#program);
    if (tracksRequire) tracked.add("require");
    const requires = new Set<string>();
    const dynamicImports = new Set<string>();
    const lowered = new Map<LoweredSyntax, number>();
    let topLevelAwait = false;
    findReferences(this.#program, this.#text, tracked, {
      reference: (reference) => {
        const target = this.#locals.get(reference.name);
        if (target) this.#rewriteRead(reference, target);
        else if (reference.called) {
          const specifier = requiredSpecifier(reference.parent);
          if (specifier !== undefined) requires.add(specifier);
        }
      },
      importMeta: (node) => this.#edits.replace(node.start, node.end, "__ur.meta"),
      dynamicImport: (node) => {
        if (forNode) return;
        const specifier = rewriteDynamicImport(node, this.#edits);
        if (specifier !== undefined) dynamicImports.add(specifier);
      },
      topLevelAwait: (operand) => {
        topLevelAwait = true;
        if (operand && !forNode) this.#noteAwait(operand.start, operand.end);
      },
      lowered: (syntax, node) => lowered.has(syntax) || lowered.set(syntax, node.start),
      class: (node) => forNode || registerClass(node, this.#edits),
      classDecoration: (node) => forNode || registerDecorated(node, this.#edits),
    });
    if (this.#defaultEnd) this.#edits.insert(...this.#defaultEnd);
    return {
      prologue: this.#prologue(),
      edits: this.#edits,
      imports: this.#records(),
      exports: [...this.#getters.keys()],
      stars: [...this.#stars],
      ...(this.#passedOn.length > 0 && { passedOn: this.#passedOn }),
      requires: [...requires],
      dynamicImports: [...dynamicImports],
      topLevelAwait,
      lowered,
    };
  }

  /** While the module waits, it is known for what. */
  #noteAwait(start: number, end: number): void {
    this.#edits.insert(start, ` ${awaitMark(start)} `);
    this.#edits.insert(end, ")");
  }

  #exports(): void {
    for (const statement of this.#program.body) {
      switch (statement.type) {
        case "ExportAllDeclaration": {
          const index = this.#import(statement.source, statement.attributes);
          if (statement.exported) {
            this.#passOn(exportName(statement.exported), index);
            this.#takeWhole(index);
          } else this.#stars.add(index);
          this.#drop(statement.start, statement.end);
          break;
        }
        case "ExportNamedDeclaration": {
          const { declaration, source } = statement;
          if (declaration) {
            const exported = (name: string) => this.#getters.set(name, name);
            if (declaration.type === "VariableDeclaration") {
              for (const declarator of declaration.declarations) addPatternNames(declarator.id, exported);
            } else addLexicalNames([declaration], exported);
            this.#blank(statement.start, statement.start + "export".length);
            break;
          }
          const index = source ? this.#import(source, statement.attributes) : undefined;
          for (const specifier of statement.specifiers) {
            const local = exportName(specifier.local);
            const exported = exportName(specifier.exported);
            if (index === undefined) this.#exportLocal(exported, local);
            else {
              this.#imports[index]?.names.add(local);
              this.#passOn(exported, index, local);
            }
          }
          this.#drop(statement.start, statement.end);
          break;
        }
        case "ExportDefaultDeclaration":
          this.#exportDefault(statement);
      }
    }
  }

  #exportLocal(exported: string, local: string): void {
    const target = this.#locals.get(local);
    if (!target) {
      this.#getters.set(exported, local);
      return;
    }
    this.#read.add(local);
    this.#passOn(exported, target.index, target.name);
  }

  /** `name` is undefined for the whole namespace. */
  #passOn(exported: string, from: number, name?: string): void {
    this.#getters.set(exported, name === undefined ? this.#namespace(from) : member(from, name));
    this.#passedOn.push({ exported, from, ...(name !== undefined && { name }) });
  }

  #exportDefault(statement: ExportDefaultDeclaration): void {
    const { declaration } = statement;
    const keyword = skipTrivia(this.#text, statement.start + "export".length);
    const afterKeyword = keyword + "default".length;
    this.#blank(statement.start, statement.start + "export".length);
    const isFunction = declaration.type === "FunctionDeclaration";
    if ((isFunction || declaration.type === "ClassDeclaration") && declaration.id) {
      this.#blank(keyword, afterKeyword);
      this.#getters.set("default", declaration.id.name);
      return;
    }
    this.#getters.set("default", DEFAULT);
    if (isFunction) {
      // Stays a declaration, so that it is hoisted; PROLOGUE gives it the name that it would have.
      this.#blank(keyword, afterKeyword);
      this.#edits.insert(functionNameOffset(this.#text, declaration.start), ` ${DEFAULT}`);
      this.#namesDefault = true;
      return;
    }
    // As the value of a property called "default", an anonymous function or class is named as the language wants.
    this.#edits.replace(keyword, afterKeyword, `const ${DEFAULT} = ({ default:`);
    const hasSemicolon = this.#text[statement.end - 1] === ";";
    // What ends at the same place, within the expression, goes before it.
    this.#defaultEnd = hasSemicolon ? [statement.end - 1, "}).default"] : [statement.end, "}).default;"];
  }

  #rewriteRead(reference: Reference, target: Import): void {
    const { start, end, parent } = reference;
    const { metadataType } = reference;
    if (!metadataType) this.#read.add(reference.name);
    else {
      this.#metadata.add(reference.name);
      if (!this.#lateTypes.has(metadataType.start)) {
        this.#lateTypes.add(metadataType.start);
        this.#edits.insert(metadataType.start, "babelHelpers.type(() => ");
        this.#edits.insert(metadataType.end, ")");
      }
    }
    let read: string;
    if (reference.assigned || (target.name === undefined && isUpdated(reference))) {
      this.#needsConstant = true;
      read = CONSTANT;
    } else if (target.name === undefined) {
      // `ns.name` reads one export; any other use may look at the namespace's keys.
      const readsMember =
        parent.type === "MemberExpression" &&
        parent.object.start === start &&
        (!parent.computed || (parent.property.type === "Literal" && typeof parent.property.value === "string"));
      read = readsMember ? variable(target.index) : this.#namespace(target.index);
      if (!readsMember && reference.constructed) read = `(${read})`;
    } else {
      read = member(target.index, target.name);
      if (reference.called) read = `${reference.startsStatement ? ";" : ""}(0, ${read})`;
    }
    this.#edits.replace(start, end, reference.shorthand ? `${this.#text.slice(start, end)}: ${read}` : read);
  }

  /** Index of the import record for a specifier and its attributes; a new one if it is the first. */
  #import(source: StringLiteral, attributes: readonly ImportAttribute[]): number {
    const pairs = attributes.map((attribute) => [exportName(attribute.key), attribute.value.value] as const);
    const key = pairs.length === 0 ? source.value : JSON.stringify([source.value, pairs]);
    const known = this.#importIndex.get(key);
    if (known !== undefined) return known;
    const index = this.#imports.length;
    this.#importIndex.set(key, index);
    this.#imports.push({
      specifier: source.value,
      attributes: pairs.length > 0 ? Object.fromEntries(pairs) : null,
      names: new Set(),
      whole: false,
    });
    return index;
  }

  #records(): ImportRecord[] {
    for (const [local, { index, name }] of this.#locals) {
      // Used as decorator metadata only: may be an interface, which has gone at run time; reads as undefined then.
      if (this.#metadata.has(local) && !this.#read.has(local)) continue;
      if (name === undefined) this.#takeWhole(index);
      else this.#imports[index]?.names.add(name);
    }
    return this.#imports.map(({ specifier, attributes, names, whole }) => ({
      specifier,
      attributes,
      names: [...names],
      ...(whole && { whole }),
    }));
  }

  #takeWhole(index: number): void {
    const record = this.#imports[index];
    if (record) record.whole = true;
  }

  #namespace(index: number): string {
    return this.#options.forNode ? variable(index) : `__ur.namespace(${index})`;
  }

  #prologue(): string {
    const getters = [...this.#getters].map(([name, read]) => `${propertyKey(name)}: () => ${read}`);
    const constant = this.#needsConstant ? `const ${CONSTANT} = undefined; ` : "";
    const name = this.#namesDefault
      ? // Not `Object`: the module may declare a variable of that name.
        `({}).constructor.defineProperty(${DEFAULT}, "name", { value: "default", configurable: true }); `
      : "";
    if (this.#options.forNode)
      return constant + name + commonJsPrologue(this.#records(), getters, [...this.#stars], this.#options.forNode);
    const variables = this.#imports.map((_, index) => `${variable(index)} = __ur.namespaces[${index}]`);
    const hidden = privateGetters(this.#program, new Set(this.#getters.values()));
    return (
      (variables.length > 0 ? `const ${variables.join(", ")}; ` : "") +
      constant +
      name +
      `__ur.exports({ ${getters.join(", ")} }, [${[...this.#stars].join(", ")}]${hidden === undefined ? "" : `, ${hidden}`});`
    );
  }

  /** Takes a statement out; a semicolon stays, so that the lines around it do not become one statement. */
  #drop(start: number, end: number): void {
    this.#edits.replace(start, end, `;${blanked(this.#text.slice(start + 1, end))}`);
  }

  #blank(start: number, end: number): void {
    this.#edits.replace(start, end, " ".repeat(end - start));
  }
}

function member(index: number, name: string): string {
  return isName(name) ? `${variable(index)}.${name}` : `${variable(index)}[${JSON.stringify(name)}]`;
}

function exportName(node: ModuleExportName): string {
  return node.type === "Literal" ? node.value : node.name;
}
