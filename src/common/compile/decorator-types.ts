/**
 * Types in what is decorated, for the metadata of `emitDecoratorMetadata`. The transformer writes what stands there, and `Object` for
 * a name that is no value. TypeScript knows what a name stands for as far as the file itself says it: an alias, a type
 * parameter, a literal's type. Here such a name is replaced by a type that the transformer writes the same for.
 */
import { DeclaredTypes, type Scope, scopeOf, type TypeKind } from "./declared-types.js";
import {
  type Class,
  type ClassElement,
  forEachChild,
  type MethodDefinition,
  type Node,
  type ParamPattern,
  parseTypeScript,
  type TSParameterProperty,
} from "./syntax-tree.js";
import { TextEdits } from "./text-edits.js";

type Annotation = { readonly typeAnnotation: Node; readonly start: number; readonly end: number };

/** Types of one kind, as the transformer and TypeScript know them by their text alone. */
const TYPE_OF: Readonly<Record<Exclude<TypeKind, "object">, string>> = {
  string: "string",
  number: "number",
  boolean: "boolean",
  bigint: "bigint",
  symbol: "symbol",
  array: "any[]",
  function: "(() => any)",
  void: "void",
};

/** Undefined: the text says all that there is to know. */
export function writeOutTypes(
  text: string,
  { language, strictNullChecks }: { readonly language: "ts" | "tsx"; readonly strictNullChecks: boolean },
): TextEdits | undefined {
  if (!/\btype\s|\bextends\b|\.\.\.|\bset\s|\binterface\s/.test(text)) return undefined;
  const program = parseTypeScript(text, language);
  if (!program) return undefined;
  const edits = new TextEdits();
  visit(program, undefined, { text, edits, types: new DeclaredTypes(strictNullChecks) });
  return edits.isEmpty ? undefined : edits;
}

interface Work {
  readonly text: string;
  readonly edits: TextEdits;
  readonly types: DeclaredTypes;
}

function visit(node: Node, outer: Scope | undefined, work: Work): void {
  const scope = scopeOf(node, outer);
  if (node.type === "ClassDeclaration" || node.type === "ClassExpression") visitClass(node, scope, work);
  forEachChild(node, (child) => visit(child, scope, work));
}

function visitClass({ decorators, body }: Class, scope: Scope | undefined, work: Work): void {
  for (const member of body.body) {
    if (member.type === "PropertyDefinition" || member.type === "AccessorProperty") {
      if (member.decorators.length > 0) annotated(member.typeAnnotation, scope, work);
    } else if (member.type === "MethodDefinition") {
      const isDecorated = member.kind === "constructor" ? decorators.length > 0 : member.decorators.length > 0;
      if (isDecorated || member.value.params.some((parameter) => (parameter.decorators?.length ?? 0) > 0))
        visitMethod(member, body.body, scope, work);
    }
  }
}

function visitMethod(
  method: MethodDefinition,
  members: readonly ClassElement[],
  scope: Scope | undefined,
  work: Work,
): void {
  const { params, returnType } = method.value;
  for (const parameter of params) visitParameter(parameter, scope, work);
  if (method.kind !== "get") {
    annotated(returnType, scope, work);
    return;
  }
  // Of a pair, the setter has the type.
  const [taken] = members.find((member) => isSetterOf(member, method, work.text))?.value.params ?? [];
  const type = taken && "typeAnnotation" in taken ? taken.typeAnnotation : undefined;
  if (!type) annotated(returnType, scope, work);
  else {
    const text = writtenOut(type.typeAnnotation, scope, work);
    if (returnType) work.edits.replace(returnType.typeAnnotation.start, returnType.typeAnnotation.end, text);
    else work.edits.insert(method.value.body?.start ?? method.value.end, `: ${text} `);
  }
}

function isSetterOf(member: ClassElement, getter: MethodDefinition, text: string): member is MethodDefinition {
  if (member.type !== "MethodDefinition" || member.kind !== "set" || member.static !== getter.static) return false;
  const name = ({ key }: MethodDefinition): string => text.slice(key.start, key.end);
  return member.computed === getter.computed && name(member) === name(getter);
}

function visitParameter(parameter: ParamPattern | TSParameterProperty, scope: Scope | undefined, work: Work): void {
  if (parameter.type === "TSParameterProperty") visitParameter(parameter.parameter as ParamPattern, scope, work);
  else if (parameter.type === "AssignmentPattern") visitParameter(parameter.left as ParamPattern, scope, work);
  else if (parameter.type !== "RestElement") annotated(parameter.typeAnnotation, scope, work);
  else {
    const { typeAnnotation: annotation, argument } = parameter;
    const element = annotation && elementType(annotation.typeAnnotation);
    const text = element ? writtenOut(element, scope, work) : "any";
    if (annotation) work.edits.replace(annotation.typeAnnotation.start, annotation.typeAnnotation.end, text);
    else work.edits.insert(argument.end, `: ${text}`);
  }
}

/** Of a rest parameter TypeScript writes the type of one argument. */
function elementType(type: Node): Node | undefined {
  if (type.type === "TSArrayType") return type.elementType;
  const given = type.type === "TSTypeReference" ? type.typeArguments?.params : undefined;
  return given?.length === 1 ? given[0] : undefined;
}

function annotated(annotation: Annotation | null | undefined, scope: Scope | undefined, work: Work): void {
  if (!annotation) return;
  forEachName(annotation.typeAnnotation, scope, work.types, ({ start, end }, text) =>
    work.edits.replace(start, end, text),
  );
}

/** The text of a type that is to stand at another place. */
function writtenOut(type: Node, scope: Scope | undefined, { text, types }: Work): string {
  const own = new TextEdits();
  forEachName(type, scope, types, ({ start, end }, written) =>
    own.replace(start - type.start, end - type.start, written),
  );
  return own.applyTo(text.slice(type.start, type.end));
}

/** The names in a type whose kind TypeScript would write, and the transformer does not know. */
function forEachName(
  type: Node,
  scope: Scope | undefined,
  types: DeclaredTypes,
  found: (name: Node, text: string) => void,
): void {
  switch (type.type) {
    case "TSUnionType":
    case "TSIntersectionType":
      for (const part of type.types) forEachName(part, scope, types, found);
      return;
    case "TSConditionalType":
      forEachName(type.trueType, scope, types, found);
      forEachName(type.falseType, scope, types, found);
      return;
    case "TSTypeOperator":
      if (type.operator === "readonly") forEachName(type.typeAnnotation, scope, types, found);
      return;
    case "TSParenthesizedType":
      forEachName(type.typeAnnotation, scope, types, found);
      return;
    case "TSTypeReference": {
      const kind = types.ofName(type, scope);
      if (kind !== undefined && kind !== "object") found(type, TYPE_OF[kind]);
    }
  }
}
