// Descriptions of messages as a tree that people read. Pure.
//
// Two forms arrive: the reflection format of protobufjs, which our SDKs and those of others send,
// and JSON Schema. What is neither is shown as the JSON it is.
//
// Refuses to recurse for ever: a type inside itself is named and not opened again; at most
// NODES_MAX nodes.

/** A field, or a type's member. */
export interface SchemaNode {
  /** Path from the root; no other node has the same. */
  id: string;
  name: string;
  type: string;
  /** `repeated`, `required`, `oneof contact`, `deprecated`, `max 64`. */
  notes: string[];
  /** Number on the wire. */
  number?: number;
  doc?: string;
  children: SchemaNode[];
}

/** A message with its fields. */
export interface SchemaTree {
  form: 'protobuf' | 'json-schema';
  fields: SchemaNode[];
  truncated: boolean;
}

type Json = Record<string, unknown>;

const NODES_MAX = 2_000;
const DEPTH_MAX = 24;

/** The tree of a description; undefined when it is of neither form. */
export function schemaTree(schema: unknown): SchemaTree | undefined {
  const root = objectOf(schema);
  if (root === undefined) return undefined;
  const count = { left: NODES_MAX };
  if (objectOf(root.fields)) {
    const fields = messageFields(root, [root], '', count, []);
    return { form: 'protobuf', fields, truncated: count.left <= 0 };
  }
  const types = messagesIn(root, [root], '', 0);
  if (types.length > 0) return { form: 'protobuf', fields: typeNodes(types, count), truncated: count.left <= 0 };
  if (root.$ref !== undefined || root.properties !== undefined || typeof root.type === 'string') {
    const node = jsonNode({ name: '', schema: root, root, id: '', required: false }, count, []);
    const fields = node === undefined ? [] : node.children.length > 0 ? node.children : [node];
    return { form: 'json-schema', fields, truncated: count.left <= 0 };
  }
  return undefined;
}

interface Named {
  name: string;
  scope: Json[];
}

/** Messages of a whole file: `{nested: {shop: {nested: {Order: {fields}}}}}`. */
function messagesIn(at: Json, scope: Json[], path: string, depth: number): Named[] {
  if (depth > DEPTH_MAX) return [];
  return Object.entries(objectOf(at.nested) ?? {}).flatMap(([word, it]) => {
    const inner = objectOf(it);
    if (inner === undefined) return [];
    const name = path ? `${path}.${word}` : word;
    if (objectOf(inner.fields)) return [{ name, scope: [...scope, inner] }];
    return messagesIn(inner, [...scope, inner], name, depth + 1);
  });
}

/** The fields of the only message; of several, the messages with their fields. */
function typeNodes(types: Named[], count: { left: number }): SchemaNode[] {
  const nodes = types.map(({ name, scope }): SchemaNode => {
    const message = scope[scope.length - 1] ?? {};
    return { id: `.${name}`, name, type: 'message', notes: [], children: messageFields(message, scope, `.${name}`, count, [message]) };
  });
  return nodes.length === 1 ? (nodes[0]?.children ?? []) : nodes;
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** `scope` is the message and what it is nested in, innermost last. */
function messageFields(message: Json, scope: Json[], id: string, count: { left: number }, open: Json[]): SchemaNode[] {
  const groups = new Map<string, string>();
  for (const [group, it] of Object.entries(objectOf(message.oneofs) ?? {})) {
    const members = objectOf(it)?.oneof;
    // A group of one whose name starts with `_` is how an optional field is written.
    if (!Array.isArray(members) || (members.length === 1 && group.startsWith('_'))) continue;
    for (const member of members) groups.set(String(member), group);
  }
  const nodes: SchemaNode[] = [];
  for (const [name, it] of Object.entries(objectOf(message.fields) ?? {})) {
    const field = objectOf(it);
    if (field === undefined || count.left-- <= 0) continue;
    nodes.push(fieldNode(name, field, { scope, id: `${id}.${name}`, group: groups.get(name) }, count, open));
  }
  return nodes.sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
}

interface Place {
  scope: Json[];
  id: string;
  group: string | undefined;
}

function fieldNode(name: string, field: Json, place: Place, count: { left: number }, open: Json[]): SchemaNode {
  const type = textOf(field.type) ?? 'unknown';
  const notes: string[] = [];
  if (field.rule === 'repeated' || field.rule === 'required') notes.push(field.rule);
  if (place.group) notes.push(`one of ${place.group}`);
  if (objectOf(field.options)?.deprecated === true) notes.push('deprecated');
  const node: SchemaNode = { id: place.id, name, notes, children: [], type: shownType(field, type) };
  if (typeof field.id === 'number') node.number = field.id;
  const found = resolve(type, place.scope);
  if (found === undefined) return node;
  const [target, scope] = found;
  const values = objectOf(target.values);
  if (values) {
    node.type = `enum ${node.type}`;
    node.children = Object.entries(values).map(([constant, number]) => ({
      id: `${place.id}.${constant}`, name: constant, type: '', notes: [], children: [],
      ...(typeof number === 'number' ? { number } : {}),
    }));
  } else if (open.includes(target)) {
    notes.push('see above');
  } else if (open.length < DEPTH_MAX) {
    node.children = messageFields(target, scope, place.id, count, [...open, target]);
  }
  return node;
}

function shownType(field: Json, type: string): string {
  const short = type.split('.').slice(-1)[0] ?? type;
  const key = textOf(field.keyType);
  const one = /^[a-z]/.test(type) && !type.includes('.') ? type : short;
  if (key) return `map<${key}, ${one}>`;
  return field.rule === 'repeated' ? `${one}[]` : one;
}

/** A type by its name, looked for from the innermost scope outwards, as `.proto` does. */
function resolve(type: string, scope: Json[]): [Json, Json[]] | undefined {
  const parts = type.replace(/^\./, '').split('.');
  for (let depth = scope.length; depth > 0; depth--) {
    // A name may begin with the package, which the description does not say.
    for (let skip = 0; skip < parts.length; skip++) {
      const found = descend(parts.slice(skip), scope.slice(0, depth));
      if (found) return found;
    }
  }
  return undefined;
}

function descend(parts: string[], from: Json[]): [Json, Json[]] | undefined {
  const scope = [...from];
  for (const part of parts) {
    const next = objectOf(objectOf(scope[scope.length - 1]?.nested)?.[part]);
    if (next === undefined) return undefined;
    scope.push(next);
  }
  const found = scope[scope.length - 1];
  return found === undefined ? undefined : [found, scope];
}

interface Part {
  name: string;
  schema: Json;
  root: Json;
  id: string;
  required: boolean;
}

function jsonNode(part: Part, count: { left: number }, open: Json[]): SchemaNode | undefined {
  if (count.left-- <= 0) return undefined;
  const schema = deref(part.schema, part.root);
  const notes = [...(part.required ? ['required'] : []), ...limitsOf(schema)];
  const node: SchemaNode = {
    id: part.id, name: part.name, type: typeOf(schema, part.root), notes, children: [],
  };
  const doc = textOf(schema.description) ?? textOf(schema.title);
  if (doc) node.doc = doc;
  if (open.includes(schema)) {
    notes.push('see above');
    return node;
  }
  if (open.length >= DEPTH_MAX) return node;
  for (const [name, inner, required] of membersOf(schema, part.root)) {
    const id = `${part.id}.${name}`;
    const child = jsonNode({ name, schema: inner, root: part.root, id, required }, count, [...open, schema]);
    if (child) node.children.push(child);
  }
  return node;
}

function membersOf(schema: Json, root: Json): [string, Json, boolean][] {
  const items = objectOf(schema.items);
  const inner = items ? deref(items, root) : schema;
  const required = Array.isArray(inner.required) ? inner.required : [];
  const members: [string, Json, boolean][] = [];
  for (const [name, it] of Object.entries(objectOf(inner.properties) ?? {})) {
    members.push([name, objectOf(it) ?? {}, required.includes(name)]);
  }
  for (const word of ['oneOf', 'anyOf', 'allOf'] as const) {
    const variants = inner[word];
    if (!Array.isArray(variants)) continue;
    variants.forEach((it, at) => members.push([`${word} ${at + 1}`, objectOf(it) ?? {}, false]));
  }
  const rest = objectOf(inner.additionalProperties);
  if (rest) members.push(['[any key]', rest, false]);
  return members;
}

function deref(schema: Json, root: Json): Json {
  let at = schema;
  for (let hops = 0; hops < 16; hops++) {
    const path = textOf(at.$ref);
    if (!path?.startsWith('#/')) return at;
    let found: unknown = root;
    for (const step of path.slice(2).split('/')) {
      found = objectOf(found)?.[decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~')];
    }
    const next = objectOf(found);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

function typeOf(schema: Json, root: Json): string {
  const items = objectOf(schema.items);
  if (items) return `${typeOf(deref(items, root), root)}[]`;
  if (Array.isArray(schema.enum)) return schema.enum.map((it) => JSON.stringify(it)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : textOf(schema.type);
  const format = textOf(schema.format);
  if (type) return format ? `${type} (${format})` : type;
  const word = ['oneOf', 'anyOf', 'allOf'].find((it) => Array.isArray(schema[it]));
  return word ?? textOf(schema.$ref)?.split('/').pop() ?? 'any';
}

const LIMITS: [string, string][] = [
  ['minimum', 'min'], ['maximum', 'max'], ['minLength', 'min length'], ['maxLength', 'max length'],
  ['minItems', 'min items'], ['maxItems', 'max items'], ['pattern', 'pattern'], ['default', 'default'],
];

function limitsOf(schema: Json): string[] {
  const limits = LIMITS.filter(([key]) => schema[key] !== undefined);
  const notes = limits.map(([key, word]) => `${word} ${textOf(schema[key]) ?? JSON.stringify(schema[key])}`);
  return schema.deprecated === true ? [...notes, 'deprecated'] : notes;
}
