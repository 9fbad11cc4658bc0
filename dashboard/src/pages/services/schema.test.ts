import { describe, expect, it } from 'vitest';
import { schemaTree, type SchemaNode } from './schema';

const login = {
  edition: 'proto2',
  oneofs: { _age: { oneof: ['age'] }, contact: { oneof: ['mail', 'phone'] } },
  fields: {
    user: { rule: 'required', type: 'string', id: 1 },
    age: { type: 'int32', id: 3 },
    headers: { keyType: 'string', type: 'string', id: 5 },
    card: { type: 'Card', id: 6 },
    cards: { rule: 'repeated', type: 'shop.v1.Login.Card', id: 7 },
    state: { type: 'State', id: 8 },
    other: { type: 'Money', id: 11 },
    deep: { type: 'Card.Chip', id: 13 },
    mail: { type: 'string', id: 14, options: { deprecated: true } },
    phone: { type: 'string', id: 15 },
  },
  nested: {
    Card: { fields: { holder: { type: 'string', id: 1 }, chip: { type: 'Chip', id: 3 } }, nested: { Chip: { fields: { serial: { type: 'uint32', id: 1 }, card: { type: 'Card', id: 2 } } } } },
    State: { values: { OPEN: 0, SHUT: -1 } },
  },
};

const child = (nodes: SchemaNode[], name: string) => nodes.find((it) => it.name === name)!;

describe('a message description', () => {
  const fields = schemaTree(login)!.fields;

  it('shows fields by number with types as they are written', () => {
    expect(fields.map((it) => it.name).slice(0, 3)).toEqual(['user', 'age', 'headers']);
    expect(child(fields, 'headers').type).toBe('map<string, string>');
    expect(child(fields, 'cards').type).toBe('Card[]');
    expect(child(fields, 'user').notes).toContain('required');
  });

  it('opens nested types wherever they are named from', () => {
    expect(child(fields, 'card').children.map((it) => it.name)).toEqual(['holder', 'chip']);
    expect(child(fields, 'cards').children).toHaveLength(2);
    expect(child(fields, 'deep').children.map((it) => it.name)).toEqual(['serial', 'card']);
    expect(child(fields, 'state').children.map((it) => [it.name, it.number])).toEqual([['OPEN', 0], ['SHUT', -1]]);
  });

  it('leaves a type that it does not have closed', () => {
    expect(child(fields, 'other')).toMatchObject({ type: 'Money', children: [] });
  });

  it('does not open a type inside itself', () => {
    const chip = child(child(fields, 'card').children, 'chip');
    expect(child(chip.children, 'card')).toMatchObject({ children: [], notes: ['see above'] });
  });

  it('names groups of which one is set, but not the group of an optional field', () => {
    expect(child(fields, 'mail').notes).toEqual(['one of contact', 'deprecated']);
    expect(child(fields, 'age').notes).toEqual([]);
  });

  it('gives each node its own id', () => {
    const ids: string[] = [];
    const walk = (nodes: SchemaNode[]) => nodes.forEach((it) => (ids.push(it.id), walk(it.children)));
    walk(fields);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a JSON Schema', () => {
  it('is read with references, limits, lists and what is required', () => {
    const tree = schemaTree({
      type: 'object',
      required: ['id'],
      properties: {
        id: { type: 'string', format: 'uuid', description: 'Which one.' },
        lines: { type: 'array', items: { $ref: '#/$defs/Line' } },
        kind: { enum: ['a', 'b'] },
      },
      $defs: { Line: { type: 'object', properties: { pieces: { type: 'integer', minimum: 1 }, next: { $ref: '#/$defs/Line' } } } },
    })!;
    expect(tree.form).toBe('json-schema');
    expect(child(tree.fields, 'id')).toMatchObject({ type: 'string (uuid)', notes: ['required'], doc: 'Which one.' });
    expect(child(tree.fields, 'kind').type).toBe('"a" | "b"');
    const lines = child(tree.fields, 'lines');
    expect(lines.type).toBe('object[]');
    expect(child(lines.children, 'pieces').notes).toEqual(['min 1']);
  });

  it('that refers to itself ends', () => {
    const tree = schemaTree({ type: 'object', properties: { self: { $ref: '#' } } });
    expect(tree!.truncated).toBe(false);
    expect(schemaTree({ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } })).toBeDefined();
  });
});

describe('a whole file', () => {
  const order = { fields: { id: { type: 'string', id: 1 }, lines: { rule: 'repeated', type: 'Line', id: 2 } } };
  const line = { fields: { sku: { type: 'string', id: 1 } } };

  it('with one message is that message', () => {
    expect(schemaTree({ nested: { shop: { nested: { Order: order } } } })!.fields.map((it) => it.name)).toEqual(['id', 'lines']);
  });

  it('with several shows each, and they find each other', () => {
    const { fields } = schemaTree({ nested: { shop: { nested: { Order: order, Line: line } } } })!;
    expect(fields.map((it) => it.name)).toEqual(['shop.Order', 'shop.Line']);
    expect(child(child(fields, 'shop.Order').children, 'lines').children.map((it) => it.name)).toEqual(['sku']);
  });
});

it('anything else has no tree', () => {
  expect(schemaTree(null)).toBeUndefined();
  expect(schemaTree([1])).toBeUndefined();
  expect(schemaTree({ hello: 1 })).toBeUndefined();
});

it('a description without end is cut and says so', () => {
  const fields = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`f${at}`, { type: 'string', id: at }]));
  const tree = schemaTree({ fields })!;
  expect(tree.truncated).toBe(true);
  expect(tree.fields.length).toBe(2_000);
});
