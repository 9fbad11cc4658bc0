// A message's description as a tree that reads like one: name, type, number, remarks. What has no tree is shown as JSON.
import { useState } from 'preact/hooks';
import { CopyButton, Icon, JsonView } from '@/ui';
import { schemaTree, type SchemaNode } from './schema';

const OPEN_DEPTH = 2;

export function SchemaView({ title, schema }: { title: string; schema: unknown }) {
  const [raw, setRaw] = useState(false);
  const tree = schemaTree(schema);
  const none = schema === null || schema === undefined || (tree?.fields.length === 0 && !raw);
  return (
    <div class="sv-schema" role="group" aria-label={`${title} schema`}>
      <div class="sv-schema-head">
        <strong class="dim small">{title}</strong>
        {schema !== null && schema !== undefined && (
          <span class="row gap-xs">
            {tree && (
              <button class="button quiet" type="button" aria-pressed={raw} onClick={() => setRaw(!raw)}>
                JSON
              </button>
            )}
            <CopyButton text={() => JSON.stringify(schema, null, 2)} label={`${title.toLowerCase()} schema`} />
          </span>
        )}
      </div>
      <div class="sv-schema-body">
        {none && <p class="faint small">{tree ? 'An empty message.' : 'Not declared.'}</p>}
        {!none && (raw || !tree) && <JsonView value={schema} label={`${title} schema`} />}
        {!none && !raw && tree && (
          <>
            <Fields nodes={tree.fields} depth={0} />
            {tree.truncated && <p class="faint small">There are more fields than can be shown; the JSON has all of them.</p>}
          </>
        )}
      </div>
    </div>
  );
}

function Fields({ nodes, depth }: { nodes: readonly SchemaNode[]; depth: number }) {
  return (
    <ul class="sv-fields">
      {nodes.map((it) => (
        <FieldRow key={it.id} node={it} depth={depth} />
      ))}
    </ul>
  );
}

function FieldRow({ node, depth }: { node: SchemaNode; depth: number }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const nested = node.children.length > 0;
  const line = (
    <>
      <span class="sv-field-name mono">{node.name || '(value)'}</span>
      {node.type && <span class="sv-field-type mono">{node.type}</span>}
      {node.notes.map((note) => (
        <span key={note} class="sv-tag">
          {note}
        </span>
      ))}
      {node.number !== undefined && <span class="faint small sv-field-number">{node.type ? `#${node.number}` : `= ${node.number}`}</span>}
    </>
  );
  return (
    <li>
      {nested ? (
        <button class="sv-field" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'right'} size={12} />
          {line}
        </button>
      ) : (
        <div class="sv-field sv-leaf">{line}</div>
      )}
      {node.doc && <p class="sv-field-doc small dim">{node.doc}</p>}
      {nested && open && <Fields nodes={node.children} depth={depth + 1} />}
    </li>
  );
}
