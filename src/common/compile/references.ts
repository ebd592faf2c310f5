/**
 * Finds, in one pass over a module's tree, the references to certain names (shadowing respected), `import.meta`,
 * `import()`, awaits at the top level, classes and syntax that must be lowered first. It decides nothing: a listener does.
 */
import { addLexicalNames, addPatternNames, addVarNames } from "./bindings.js";
import { isClassDecoration, isMetadataCall } from "./class-registration.js";
import type { ReferenceListener } from "./reference.js";
import {
  type ArrowFunctionExpression,
  type Class,
  type FunctionNode,
  forEachChild,
  leftmost,
  type Node,
  type Program,
} from "./syntax-tree.js";
import { WordMarks } from "./word-marks.js";

/** Reports to `listener` every reference to a name in `tracked` that no scope inside `program` declares. */
export function findReferences(
  program: Program,
  text: string,
  tracked: ReadonlySet<string>,
  listener: ReferenceListener,
): void {
  new Walk(text, tracked, listener).statements(program.body);
}

class Walk {
  readonly #tracked: ReadonlySet<string>;
  readonly #listener: ReferenceListener;
  readonly #words: WordMarks;
  /** Innermost last; each holds the tracked names that it declares. Born and dropped with the syntax that opens it. */
  readonly #scopes: Set<string>[] = [];
  #functionDepth = 0;
  #statementStart = -1;
  #constructed: Node | undefined;
  #inMetadata = false;
  #metadataType: Node | undefined;

  constructor(text: string, tracked: ReadonlySet<string>, listener: ReferenceListener) {
    this.#tracked = tracked;
    this.#listener = listener;
    this.#words = new WordMarks(text, tracked);
  }

  statements(list: readonly Node[]): void {
    for (const statement of list) {
      if (statement.type === "ExpressionStatement" && !this.#skips(statement)) {
        this.#statementStart = statement.start;
        this.#node(statement.expression, statement);
        this.#statementStart = -1;
      } else this.#node(statement, undefined);
    }
  }

  /** True when nothing in the node's text can matter. Most of a module's tree is cut off here. */
  readonly #skips = ({ start, end }: Node): boolean => !this.#words.anyIn(start, end);

  #node(node: Node | null | undefined, parent: Node | undefined): void {
    if (!node || this.#skips(node)) return;
    switch (node.type) {
      case "Identifier":
        if (parent) this.#identifier(node, parent, parent.type === "Property" && parent.shorthand, false);
        return;
      case "AssignmentExpression":
        if (node.operator !== "=") break;
        this.#target(node.left, node, false);
        this.#node(node.right, node);
        return;
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "BreakStatement":
      case "ContinueStatement":
      case "PrivateIdentifier":
        return;
      case "ExportNamedDeclaration":
        if (node.declaration) this.#node(node.declaration, node);
        return;
      case "LabeledStatement":
        this.#node(node.body, node);
        return;
      case "MemberExpression":
        this.#node(node.object, node);
        if (node.computed) this.#node(node.property, node);
        return;
      case "Property":
        if (node.computed) this.#node(node.key, node);
        this.#node(node.value, node);
        return;
      case "NewExpression":
        this.#constructed = leftmost(node.callee);
        break;
      case "CallExpression":
        if (isClassDecoration(node, parent)) this.#listener.classDecoration(node);
        if (!isMetadataCall(node)) break;
        this.#inMetadata = true;
        this.#children(node);
        this.#inMetadata = false;
        return;
      case "ConditionalExpression":
        if (!this.#inMetadata) break;
        this.#metadataType = node;
        this.#children(node);
        this.#metadataType = undefined;
        return;
      case "MetaProperty":
        if (node.meta.name === "import") this.#listener.importMeta(node);
        return;
      case "ImportExpression":
        this.#listener.dynamicImport(node);
        break;
      case "AwaitExpression":
        this.#awaits({ start: node.start + "await".length, end: node.end });
        break;
      case "Decorator":
        this.#listener.lowered("decorator", node);
        break;
      case "VariableDeclaration":
        if (node.kind === "using" || node.kind === "await using") this.#listener.lowered("using", node);
        if (node.kind === "await using") this.#awaits();
        break;
      case "VariableDeclarator":
        this.#pattern(node.id);
        this.#node(node.init, node);
        return;
      case "ForOfStatement":
      case "ForInStatement":
        if (node.type === "ForOfStatement" && node.await) this.#awaits(node.right);
        this.#inScope(
          (add) => addLexicalNames([node.left], add),
          () => {
            if (node.left.type === "VariableDeclaration") this.#node(node.left, node);
            else this.#target(node.left, node, false);
            this.#node(node.right, node);
            this.#node(node.body, node);
          },
        );
        return;
      case "ForStatement":
        this.#inScope(
          (add) => node.init && addLexicalNames([node.init], add),
          () => this.#children(node),
        );
        return;
      case "BlockStatement":
        this.#inScope(
          (add) => addLexicalNames(node.body, add),
          () => this.statements(node.body),
        );
        return;
      case "StaticBlock":
        this.#inFunction(() => {
          this.#inScope(
            (add) => this.#bodyNames(node.body, add),
            () => this.statements(node.body),
          );
        });
        return;
      case "SwitchStatement":
        this.#node(node.discriminant, node);
        this.#inScope(
          (add) =>
            addLexicalNames(
              node.cases.flatMap((branch) => branch.consequent),
              add,
            ),
          () => {
            for (const branch of node.cases) {
              this.#node(branch.test, branch);
              this.statements(branch.consequent);
            }
          },
        );
        return;
      case "CatchClause":
        this.#inScope(
          (add) => addPatternNames(node.param, add),
          () => {
            this.#pattern(node.param);
            this.#node(node.body, node);
          },
        );
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        this.#function(node);
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        this.#class(node);
        return;
    }
    this.#children(node);
  }

  #children(node: Node): void {
    forEachChild(node, (child) => this.#node(child, node));
  }

  #function(node: FunctionNode | ArrowFunctionExpression): void {
    const ownName = node.type === "FunctionExpression" ? node.id : null;
    this.#inFunction(() => {
      this.#inScope(
        (add) => {
          if (ownName) add(ownName.name);
          for (const parameter of node.params) addPatternNames(parameter, add);
        },
        () => {
          for (const parameter of node.params) this.#pattern(parameter);
          const { body } = node;
          if (body?.type !== "BlockStatement") this.#node(body, node);
          // The body's own names do not reach the default values of the parameters: a scope of its own.
          else
            this.#inScope(
              (add) => this.#bodyNames(body.body, add),
              () => this.statements(body.body),
            );
        },
      );
    });
  }

  #class(node: Class): void {
    this.#listener.class(node);
    for (const decorator of node.decorators) this.#node(decorator, node);
    this.#inScope(
      (add) => node.id && add(node.id.name),
      () => {
        this.#node(node.superClass, node);
        for (const member of node.body.body) {
          if (this.#skips(member)) continue;
          if (member.type === "StaticBlock") {
            this.#node(member, node.body);
            continue;
          }
          if (!("key" in member)) continue;
          if (member.type === "AccessorProperty") this.#listener.lowered("accessor", member);
          if ("decorators" in member) for (const decorator of member.decorators ?? []) this.#node(decorator, member);
          if (member.computed) this.#node(member.key, member);
          // Initial values are evaluated in a function of their own, as far as `await` is concerned.
          const { value } = member;
          if (value) this.#inFunction(() => this.#node(value, member));
        }
      },
    );
  }

  /** A pattern that declares: only default values and computed keys in it are references. */
  #pattern(pattern: Node | null | undefined): void {
    switch (pattern?.type) {
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type === "RestElement") this.#pattern(property.argument);
          else {
            if (property.computed) this.#node(property.key, property);
            this.#pattern(property.value);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of pattern.elements) this.#pattern(element);
        return;
      case "AssignmentPattern":
        this.#pattern(pattern.left);
        this.#node(pattern.right, pattern);
        return;
      case "RestElement":
        this.#pattern(pattern.argument);
    }
  }

  /** A pattern that assigns: names in it are written, not read. */
  #target(target: Node | null, parent: Node, shorthand: boolean): void {
    switch (target?.type) {
      case "Identifier":
        this.#identifier(target, parent, shorthand, true);
        return;
      case "ObjectPattern":
        for (const property of target.properties) {
          if (property.type === "RestElement") this.#target(property.argument, property, false);
          else {
            if (property.computed) this.#node(property.key, property);
            this.#target(property.value, property, property.shorthand);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of target.elements) this.#target(element, target, false);
        return;
      case "AssignmentPattern":
        this.#target(target.left, target, shorthand);
        this.#node(target.right, target);
        return;
      case "RestElement":
        this.#target(target.argument, target, false);
        return;
      default:
        this.#node(target, parent);
    }
  }

  #identifier(node: Node & { type: "Identifier" }, parent: Node, shorthand: boolean, assigned: boolean): void {
    if (!this.#tracked.has(node.name)) return;
    for (const scope of this.#scopes) if (scope.has(node.name)) return;
    this.#listener.reference({
      name: node.name,
      start: node.start,
      end: node.end,
      parent,
      shorthand,
      assigned,
      called:
        (parent.type === "CallExpression" && parent.callee === node) ||
        (parent.type === "TaggedTemplateExpression" && parent.tag === node),
      constructed: this.#constructed === node,
      startsStatement: this.#statementStart === node.start,
      metadataType: this.#metadataType,
    });
  }

  #awaits(operand?: { readonly start: number; readonly end: number }): void {
    if (this.#functionDepth === 0) this.#listener.topLevelAwait(operand);
  }

  #inFunction(walk: () => void): void {
    this.#functionDepth++;
    walk();
    this.#functionDepth--;
  }

  #inScope(declare: (add: (name: string) => void) => unknown, walk: () => void): void {
    const scope = new Set<string>();
    declare((name) => {
      if (this.#tracked.has(name)) scope.add(name);
    });
    this.#scopes.push(scope);
    walk();
    this.#scopes.pop();
  }

  #bodyNames(statements: readonly Node[], add: (name: string) => void): void {
    addLexicalNames(statements, add);
    for (const statement of statements) addVarNames(statement, add, this.#skips);
  }
}
