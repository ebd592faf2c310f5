/**
 * What a type that a file declares is made of, as far as TypeScript's metadata tells types apart. Pure. What other files
 * declare is not known, as with TypeScript's `isolatedModules`.
 */
import type { Node } from "./syntax-tree.js";

/** `object`: anything else, or not known. */
export type TypeKind = "string" | "number" | "boolean" | "bigint" | "symbol" | "array" | "function" | "void" | "object";

type TypeDeclaration = Extract<
  Node,
  { type: "TSTypeAliasDeclaration" | "TSInterfaceDeclaration" | "TSEnumDeclaration" | "TSTypeParameter" }
>;
type TypeReference = Extract<Node, { type: "TSTypeReference" }>;
/** `value`: a class or an import, which is no name for a type only. A kind: of a type parameter that is given. */
type Declared = TypeDeclaration | "value" | { readonly kind: TypeKind };

export interface Scope {
  readonly outer: Scope | undefined;
  readonly types: ReadonlyMap<string, Declared>;
  /** Name of a constant or a function to what it is. */
  readonly values: ReadonlyMap<string, Node>;
}

/** The scope that a node opens, or the one around it. */
export function scopeOf(node: Node, outer: Scope | undefined): Scope | undefined {
  const types = new Map<string, Declared>();
  const values = new Map<string, Node>();
  if (node.type === "Program" || node.type === "BlockStatement" || node.type === "TSModuleBlock") {
    for (const statement of node.body) declare(statement, types, values);
  } else if ("typeParameters" in node && node.typeParameters?.type === "TSTypeParameterDeclaration") {
    for (const parameter of node.typeParameters.params) types.set(parameter.name.name, parameter);
  }
  return types.size + values.size === 0 ? outer : { outer, types, values };
}

function declare(statement: Node, types: Map<string, Declared>, values: Map<string, Node>): void {
  switch (statement.type) {
    case "ExportNamedDeclaration":
    case "ExportDefaultDeclaration":
      if (statement.declaration) declare(statement.declaration, types, values);
      return;
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
    case "TSEnumDeclaration":
      types.set(statement.id.name, statement);
      return;
    case "ClassDeclaration":
      if (statement.id) types.set(statement.id.name, "value");
      return;
    case "FunctionDeclaration":
      if (statement.id) values.set(statement.id.name, statement);
      return;
    case "ImportDeclaration":
      for (const { local } of statement.specifiers) types.set(local.name, "value");
      return;
    case "VariableDeclaration":
      for (const { id, init } of statement.declarations)
        if (statement.kind === "const" && id.type === "Identifier" && init) values.set(id.name, init);
  }
}

function lookUp(name: string, scope: Scope | undefined): { declared: Declared; scope: Scope } | undefined {
  for (let at = scope; at; at = at.outer) {
    const declared = at.types.get(name);
    if (declared) return { declared, scope: at };
  }
  return undefined;
}

export class DeclaredTypes {
  readonly #strictNullChecks: boolean;
  /** Declarations that are being looked at: one that leads back to itself is an object. */
  readonly #seen = new Set<Node>();

  constructor(strictNullChecks: boolean) {
    this.#strictNullChecks = strictNullChecks;
  }

  /** Of a name that the file declares, and that is no class; undefined: of any other. */
  ofName(reference: TypeReference, scope: Scope | undefined): TypeKind | undefined {
    if (reference.typeName.type !== "Identifier") return undefined;
    const found = lookUp(reference.typeName.name, scope);
    if (!found || found.declared === "value") return undefined;
    // What it is used with is not looked at.
    return this.#ofReference({ ...reference, typeArguments: null }, scope);
  }

  #of(type: Node, scope: Scope | undefined): TypeKind {
    switch (type.type) {
      case "TSStringKeyword":
      case "TSTemplateLiteralType":
        return "string";
      case "TSNumberKeyword":
        return "number";
      case "TSBooleanKeyword":
      case "TSTypePredicate":
        return "boolean";
      case "TSBigIntKeyword":
        return "bigint";
      case "TSSymbolKeyword":
        return "symbol";
      case "TSUndefinedKeyword":
      case "TSNullKeyword":
      case "TSVoidKeyword":
      case "TSNeverKeyword":
        return "void";
      case "TSArrayType":
      case "TSTupleType":
        return "array";
      case "TSFunctionType":
        return "function";
      case "TSTypeLiteral":
        return hasCall(type.members) ? "function" : "object";
      case "TSLiteralType":
        return kindOfValue(type.literal);
      case "TSParenthesizedType":
        return this.#of(type.typeAnnotation, scope);
      case "TSUnionType":
        return this.#ofUnion(
          type.types.filter(({ type }) => type !== "TSNeverKeyword").map((part) => this.#of(part, scope)),
        );
      case "TSIntersectionType":
        return type.types.map((part) => this.#of(part, scope)).find(isPrimitive) ?? "object";
      case "TSTypeOperator":
        return this.#ofOperator(type, scope);
      case "TSTypeQuery": {
        const value = constantOf(type, scope);
        return value ? kindOfValue(value) : "object";
      }
      case "TSIndexedAccessType":
        return this.#ofIndexed(type, scope);
      case "TSTypeReference":
        return this.#ofReference(type, scope);
      default:
        return "object";
    }
  }

  #ofUnion(kinds: readonly TypeKind[]): TypeKind {
    const real = this.#strictNullChecks ? kinds : kinds.filter((kind) => kind !== "void");
    const [first = "void", ...others] = real;
    if (others.length === 0) return first;
    return others.every((kind) => kind === first) && isPrimitive(first) ? first : "object";
  }

  #ofOperator(
    { operator, typeAnnotation }: Extract<Node, { type: "TSTypeOperator" }>,
    scope: Scope | undefined,
  ): TypeKind {
    if (operator === "readonly") return this.#of(typeAnnotation, scope);
    if (operator === "unique") return "symbol";
    const members = this.#membersOf(typeAnnotation, scope);
    return members ? this.#ofUnion([...members.keys()].map((name) => (isIndex(name) ? "number" : "string"))) : "object";
  }

  #ofIndexed(type: Extract<Node, { type: "TSIndexedAccessType" }>, scope: Scope | undefined): TypeKind {
    const { objectType, indexType } = type;
    const value = objectType.type === "TSTypeQuery" ? constantOf(objectType, scope) : undefined;
    if (indexType.type === "TSNumberKeyword") {
      if (objectType.type === "TSArrayType") return this.#of(objectType.elementType, scope);
      if (value?.type !== "ArrayExpression") return "object";
      return this.#ofUnion(value.elements.map((element) => (element ? kindOfValue(element) : "object")));
    }
    const members = this.#membersOf(objectType, scope);
    if (!members) return "object";
    if (indexType.type === "TSTypeOperator" && indexType.operator === "keyof")
      return this.#ofUnion([...members.values()].map((member) => member()));
    if (indexType.type !== "TSLiteralType" || indexType.literal.type !== "Literal") return "object";
    return members.get(String(indexType.literal.value))?.() ?? "object";
  }

  /** Names of members to their kinds; undefined: not all of them are known. */
  #membersOf(type: Node, scope: Scope | undefined): Map<string, () => TypeKind> | undefined {
    if (type.type === "TSTypeQuery") {
      const value = constantOf(type, scope);
      return value?.type === "ObjectExpression" ? propertiesOf(value) : undefined;
    }
    if (type.type === "TSTypeReference" && type.typeName.type === "Identifier") {
      const found = lookUp(type.typeName.name, scope);
      if (!found || found.declared === "value" || !("type" in found.declared)) return undefined;
      const { declared } = found;
      if (declared.type === "TSInterfaceDeclaration")
        return declared.extends.length > 0 ? undefined : this.#signatures(declared.body.body, found.scope);
      return declared.type === "TSTypeAliasDeclaration" && declared.typeAnnotation.type === "TSTypeLiteral"
        ? this.#signatures(declared.typeAnnotation.members, found.scope)
        : undefined;
    }
    return type.type === "TSTypeLiteral" ? this.#signatures(type.members, scope) : undefined;
  }

  #signatures(signatures: readonly Node[], scope: Scope | undefined): Map<string, () => TypeKind> | undefined {
    const members = new Map<string, () => TypeKind>();
    for (const signature of signatures) {
      if (signature.type !== "TSPropertySignature" && signature.type !== "TSMethodSignature") return undefined;
      const name = nameOf(signature);
      if (name === undefined) return undefined;
      const { typeAnnotation, optional } = { typeAnnotation: undefined, ...signature };
      members.set(name, () => {
        if (signature.type === "TSMethodSignature") return "function";
        const kind = typeAnnotation ? this.#of(typeAnnotation.typeAnnotation, scope) : "object";
        return optional ? this.#ofUnion([kind, "void"]) : kind;
      });
    }
    return members;
  }

  #ofReference({ typeName, typeArguments }: TypeReference, scope: Scope | undefined): TypeKind {
    const given = typeArguments?.params ?? [];
    if (typeName.type === "TSQualifiedName") {
      // A member of an enum.
      const found = typeName.left.type === "Identifier" ? lookUp(typeName.left.name, scope)?.declared : undefined;
      return typeof found === "object" && "type" in found && found.type === "TSEnumDeclaration"
        ? kindOfEnum(found)
        : "object";
    }
    if (typeName.type !== "Identifier") return "object";
    const found = lookUp(typeName.name, scope);
    if (!found) return this.#ofGlobal(typeName.name, given, scope);
    const { declared } = found;
    if (declared === "value") return "object";
    if (!("type" in declared)) return declared.kind;
    if (this.#seen.has(declared)) return "object";
    this.#seen.add(declared);
    try {
      return this.#ofDeclared(
        declared,
        found.scope,
        given.map((type) => this.#of(type, scope)),
      );
    } finally {
      this.#seen.delete(declared);
    }
  }

  #ofDeclared(declared: TypeDeclaration, scope: Scope, given: readonly TypeKind[]): TypeKind {
    switch (declared.type) {
      case "TSInterfaceDeclaration":
        return hasCall(declared.body.body) ? "function" : "object";
      case "TSEnumDeclaration":
        return kindOfEnum(declared);
      case "TSTypeParameter":
        return declared.constraint ? this.#of(declared.constraint, scope) : "object";
      case "TSTypeAliasDeclaration": {
        const types = new Map<string, Declared>();
        for (const [index, parameter] of (declared.typeParameters?.params ?? []).entries()) {
          const kind = given[index];
          types.set(parameter.name.name, kind === undefined ? parameter : { kind });
        }
        return this.#of(declared.typeAnnotation, { outer: scope, types, values: new Map() });
      }
    }
  }

  /** Of a type of the language's own. */
  #ofGlobal(name: string, given: readonly Node[], scope: Scope | undefined): TypeKind {
    switch (name) {
      case "Array":
      case "ReadonlyArray":
      case "Parameters":
      case "ConstructorParameters":
        return "array";
      case "Uppercase":
      case "Lowercase":
      case "Capitalize":
      case "Uncapitalize":
        return "string";
      case "Exclude":
      case "Extract":
      case "NonNullable":
      case "NoInfer": {
        const [type] = given;
        const types = name === "NonNullable" ? new DeclaredTypes(false) : this;
        const kind = type ? types.#of(type, scope) : "object";
        return isPrimitive(kind) ? kind : "object";
      }
      default:
        return "object";
    }
  }
}

function isPrimitive(kind: TypeKind): boolean {
  return kind !== "array" && kind !== "function" && kind !== "object";
}

function hasCall(signatures: readonly Node[]): boolean {
  return signatures.some(({ type }) => type === "TSCallSignatureDeclaration");
}

function isIndex(name: string): boolean {
  return String(Number(name)) === name;
}

function nameOf(member: { readonly key: Node; readonly computed: boolean }): string | undefined {
  const { key, computed } = member;
  if (key.type === "Identifier" && !computed) return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

/** What a constant is, of which `typeof` asks the type. */
function constantOf({ exprName }: Extract<Node, { type: "TSTypeQuery" }>, scope: Scope | undefined): Node | undefined {
  if (exprName.type !== "Identifier") return undefined;
  for (let at = scope; at; at = at.outer) {
    const value = at.values.get(exprName.name);
    if (value) return bare(value);
  }
  return undefined;
}

/** Without what is said of its type. */
function bare(value: Node): Node {
  if (value.type === "TSSatisfiesExpression" || value.type === "ParenthesizedExpression") return bare(value.expression);
  const isConst =
    value.type === "TSAsExpression" &&
    value.typeAnnotation.type === "TSTypeReference" &&
    value.typeAnnotation.typeName.type === "Identifier" &&
    value.typeAnnotation.typeName.name === "const";
  return isConst ? bare(value.expression) : value;
}

function propertiesOf({
  properties,
}: Extract<Node, { type: "ObjectExpression" }>): Map<string, () => TypeKind> | undefined {
  const members = new Map<string, () => TypeKind>();
  for (const property of properties) {
    const name = property.type === "Property" ? nameOf(property) : undefined;
    if (property.type !== "Property" || name === undefined) return undefined;
    members.set(name, () => kindOfValue(property.value));
  }
  return members;
}

function kindOfValue(value: Node): TypeKind {
  const node = bare(value);
  switch (node.type) {
    case "Literal":
      if (node.value === null) return "bigint" in node ? "bigint" : "regex" in node ? "object" : "void";
      return typeof node.value === "object"
        ? "object"
        : (typeof node.value as "string" | "number" | "boolean" | "bigint");
    case "TemplateLiteral":
      return "string";
    case "UnaryExpression":
      if (node.operator === "!") return "boolean";
      return node.operator === "typeof" ? "string" : node.operator === "void" ? "void" : kindOfValue(node.argument);
    case "ArrayExpression":
      return "array";
    case "CallExpression":
      return node.callee.type === "Identifier" && node.callee.name === "Symbol" ? "symbol" : "object";
    case "ArrowFunctionExpression":
    case "FunctionExpression":
    case "FunctionDeclaration":
      return "function";
    default:
      return "object";
  }
}

/** Members without a value, and those that are computed, are numbers. */
function kindOfEnum({ body }: Extract<Node, { type: "TSEnumDeclaration" }>): TypeKind {
  const isText = (value: Node | null): boolean =>
    value?.type === "BinaryExpression"
      ? value.operator === "+" && (isText(value.left) || isText(value.right))
      : value !== null && kindOfValue(value) === "string";
  const texts = body.members.filter(({ initializer }) => isText(initializer)).length;
  return texts === 0 ? "number" : texts === body.members.length ? "string" : "object";
}
