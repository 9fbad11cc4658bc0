// API tokens: for the command line and for programs. Shown once when made.
import { useState } from 'preact/hooks';
import { nameFault } from '@/account/rules';
import { del, get, post } from '@/api/client';
import type { ApiToken, ApiTokenShown, Role } from '@/api/types';
import { isAdmin } from '@/app/session';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Ago, Awaited, Button, ConfirmDialog, Empty, Field, FormDialog, Input, PlainTable, SecretDialog, Select, StatusBadge, Time, toast, useNow, useSending } from '@/ui';
import { ROLES } from './accounts';
import { AdminsOnly } from './admins-only';
import { SettingsFrame } from './frame';
import { Until } from './until';

const EVERY_MS = 15_000;
const DAY_MS = 86_400_000;
const LIVES: readonly (readonly [string, string])[] = [
  [String(7 * DAY_MS), '7 days'],
  [String(30 * DAY_MS), '30 days'],
  [String(90 * DAY_MS), '90 days'],
  [String(365 * DAY_MS), '1 year'],
  ['', 'never'],
];

export function Tokens() {
  const admin = isAdmin();
  const found = useResource('tokens', (signal) => get<ApiToken[]>('/tokens', {}, signal), { everyMs: EVERY_MS, off: !admin });
  const [asked, setAsked] = useState<'make' | ApiToken | null>(null);
  const now = useNow();
  if (!admin) return <AdminsOnly what="API tokens" />;
  const all = found.data.value;
  const make = (
    <Button look="primary" icon="plus" onClick={() => setAsked('make')}>
      New token
    </Button>
  );
  return (
    <SettingsFrame note={<OwnStale since={found.staleSinceUnixMs.value} />} actions={make}>
      <Awaited of={found} />
      {all?.length === 0 && (
        <Empty icon="key" title="No API token">
          <p>
            A token lets a program, or <code>bridge</code> on another machine, ask this runtime what this console asks.
          </p>
          <p>{make}</p>
        </Empty>
      )}
      {all && all.length > 0 && (
        <PlainTable box="st-scroll" look="st-table" heads={['Name', 'Role', 'Made', 'Last used', 'Ends']} acts="What can be done">
          {all.map((it) => (
            <tr key={it.id}>
              <th scope="row">
                {it.name} <span class="faint small mono">{it.id}</span>
              </th>
              <td>{it.role}</td>
              <td>
                <Time at={it.created_at_unix_ms} /> {it.created_by && <span class="faint">by {it.created_by}</span>}
              </td>
              <td>{it.last_used_at_unix_ms ? <Ago at={it.last_used_at_unix_ms} /> : <span class="faint">never</span>}</td>
              <td>
                <Ends at={it.expires_at_unix_ms ?? null} now={now} />
              </td>
              <td class="num">
                <Button look="danger" onClick={() => setAsked(it)}>
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </PlainTable>
      )}
      {asked === 'make' && <MakeToken onClose={() => setAsked(null)} onDone={found.reload} />}
      {asked && asked !== 'make' && <RevokeToken token={asked} onClose={() => setAsked(null)} onDone={found.reload} />}
    </SettingsFrame>
  );
}

function Ends({ at, now }: { at: number | null; now: number }) {
  if (at === null) return <span class="dim">never</span>;
  return at <= now ? <StatusBadge tone="idle">ended</StatusBadge> : <Until at={at} now={now} />;
}

function MakeToken({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [life, setLife] = useState(String(90 * DAY_MS));
  const [fault, setFault] = useState<string | null>(null);
  const [made, setMade] = useState<ApiTokenShown | null>(null);
  const [busy, send] = useSending((problem) => setFault(problem.detail));
  if (made) return <TokenShown made={made} onClose={onClose} />;
  const submit = () => {
    const found = nameFault(name);
    setFault(found);
    if (found) return;
    void send(async () => {
      setMade(await post<ApiTokenShown>('/tokens', { name, role, ...(life ? { expires_in_ms: Number(life) } : {}) }));
      onDone();
    });
  };
  return (
    <FormDialog title="New API token" action="Make it and show it" busy={busy} onSubmit={submit} onClose={onClose}>
      <Field label="Name" hint="What it is for: ci, grafana, my-laptop" error={fault}>
        {(aria) => <Input {...aria} name="token-name" value={name} onText={(it) => (setName(it), setFault(null))} />}
      </Field>
      <Field label="Role">{(aria) => <Select {...aria} value={role} options={ROLES} onPick={(it) => setRole(it as Role)} />}</Field>
      <Field label="Ends after">{(aria) => <Select {...aria} value={life} options={LIVES} onPick={setLife} />}</Field>
    </FormDialog>
  );
}

function TokenShown({ made, onClose }: { made: ApiTokenShown; onClose: () => void }) {
  const { origin } = location;
  const cli = `export BRIDGE_CONSOLE_URL=${origin}\nexport BRIDGE_TOKEN=${made.token}\nbridge map`;
  const curl = `curl -H "authorization: Bearer ${made.token}" ${origin}/api/v1/services`;
  const uses = [
    { title: 'bridge', label: 'commands', text: cli, wrap: true },
    { title: 'curl', label: 'curl command', text: curl, wrap: true },
  ];
  return (
    <SecretDialog title={`Token “${made.name}”`} what="token" secret={made.token} uses={uses} onClose={onClose}>
      What can be asked is documented at <a href="/api/openapi.json" target="_blank" rel="noopener">/api/openapi.json</a>. Over a network, put TLS in front: the token travels with every request.
    </SecretDialog>
  );
}

function RevokeToken({ token, onClose, onDone }: { token: ApiToken; onClose: () => void; onDone: () => void }) {
  const revoke = async () => {
    await del(`/tokens/${encodeURIComponent(token.id)}`);
    toast(`The token “${token.name}” is revoked`);
    onDone();
  };
  return (
    <ConfirmDialog title={`Revoke “${token.name}”?`} action="Revoke the token" onConfirm={revoke} onClose={onClose}>
      <p>Whatever uses it is refused from now on. This cannot be taken back.</p>
    </ConfirmDialog>
  );
}
