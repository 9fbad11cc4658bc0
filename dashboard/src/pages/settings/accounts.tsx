// Who may log in: made, given another role or password, deleted, by admins.
import { useState } from 'preact/hooks';
import { PasswordField } from '@/account/form';
import { accountField, nameFault, passwordFault, type EntryField } from '@/account/rules';
import { del, get, patch, post } from '@/api/client';
import type { Account, Role } from '@/api/types';
import { isAdmin, session } from '@/app/session';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Ago, Awaited, Button, ConfirmDialog, Field, FormDialog, Input, Note, PlainTable, Select, Time, toast, toastError, useSending } from '@/ui';
import { AdminsOnly } from './admins-only';
import { SettingsFrame } from './frame';

const EVERY_MS = 10_000;

export const ROLES: readonly (readonly [Role, string])[] = [
  ['viewer', 'viewer: sees everything, changes nothing'],
  ['admin', 'admin: everything'],
];

type Asked = { what: 'make' } | { what: 'password' | 'delete'; account: Account } | null;

export function Accounts() {
  const admin = isAdmin();
  const found = useResource('accounts', (signal) => get<Account[]>('/accounts', {}, signal), { everyMs: EVERY_MS, off: !admin });
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  if (!admin) return <AdminsOnly what="accounts" />;
  const all = found.data.value;
  const admins = all?.filter((it) => it.role === 'admin').length ?? 0;
  return (
    <SettingsFrame
      note={<OwnStale since={found.staleSinceUnixMs.value} />}
      actions={
        <Button look="primary" icon="plus" onClick={() => setAsked({ what: 'make' })}>
          New account
        </Button>
      }
    >
      <Awaited of={found} />
      {all && (
        <PlainTable box="st-scroll" look="st-table" heads={['Name', 'Role', 'Created', 'Last login']} acts="What can be done">
          {all.map((it) => (
            <AccountRow key={it.username} account={it} last={it.role === 'admin' && admins === 1} onAsk={setAsked} onDone={found.reload} />
          ))}
        </PlainTable>
      )}
      {asked?.what === 'make' && <MakeAccount onClose={close} onDone={found.reload} />}
      {asked?.what === 'password' && <SetPassword account={asked.account} onClose={close} />}
      {asked?.what === 'delete' && <DeleteAccount account={asked.account} onClose={close} onDone={found.reload} />}
    </SettingsFrame>
  );
}

function AccountRow({ account, last, onAsk, onDone }: { account: Account; last: boolean; onAsk: (asked: Asked) => void; onDone: () => void }) {
  const me = session.value?.via === 'session' && session.value.username === account.username;
  const change = async (role: string) => {
    try {
      await patch(`/accounts/${encodeURIComponent(account.username)}`, { role });
      toast(`${account.username} is ${role} now; its sessions have ended`);
    } catch (problem) {
      toastError(problem);
    }
    onDone();
  };
  return (
    <tr>
      <th scope="row">
        {account.username} {me && <span class="st-tag small">you</span>}
      </th>
      <td>
        {last ? (
          <span title="The only admin stays one: make somebody else an admin first">
            admin <span class="faint small">· the only one</span>
          </span>
        ) : (
          <Select aria-label={`Role of ${account.username}`} value={account.role} options={[['viewer', 'viewer'], ['admin', 'admin']]} onPick={(role) => void change(role)} />
        )}
      </td>
      <td>
        <Time at={account.created_at_unix_ms} />
      </td>
      <td>{account.last_login_at_unix_ms ? <Ago at={account.last_login_at_unix_ms} /> : <span class="faint">never</span>}</td>
      <td class="num">
        <span class="row st-acts">
          {me ? (
            <a class="button" href="/account">
              Change password
            </a>
          ) : (
            <Button onClick={() => onAsk({ what: 'password', account })}>Set password</Button>
          )}
          {!last && (
            <Button look="danger" onClick={() => onAsk({ what: 'delete', account })}>
              Delete
            </Button>
          )}
        </span>
      </td>
    </tr>
  );
}

function MakeAccount({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [faults, setFaults] = useState<Partial<Record<EntryField, string | null>>>({});
  const [busy, send] = useSending((problem) => setFaults({ [accountField(problem)]: problem.detail }));
  const submit = () => {
    const found = { username: nameFault(username), password: passwordFault(password) };
    setFaults(found);
    if (found.username || found.password) return;
    void send(async () => {
      await post('/accounts', { username, password, role });
      toast(`${username} can log in now`);
      onDone();
      onClose();
    });
  };
  return (
    <FormDialog title="New account" action="Make the account" busy={busy} onSubmit={submit} onClose={onClose}>
      {faults.form && <Note tone="bad">{faults.form}</Note>}
      <Field label="Name" hint="a–z, 0–9, “.”, “_” and “-”" error={faults.username ?? null}>
        {(aria) => <Input {...aria} name="username" value={username} onText={setUsername} />}
      </Field>
      <PasswordField label="First password" name="new-password" autocomplete="new-password" hint="At least 12 characters. They can change it themselves." value={password} onText={setPassword} error={faults.password ?? null} />
      <Field label="Role">{(aria) => <Select {...aria} value={role} options={ROLES} onPick={(it) => setRole(it as Role)} />}</Field>
    </FormDialog>
  );
}

function SetPassword({ account, onClose }: { account: Account; onClose: () => void }) {
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [busy, send] = useSending((problem) => setFault(problem.detail));
  const submit = () => {
    const found = passwordFault(password);
    setFault(found);
    if (found) return;
    void send(async () => {
      await patch(`/accounts/${encodeURIComponent(account.username)}`, { password });
      toast(`${account.username} has a new password; its sessions have ended`);
      onClose();
    });
  };
  return (
    <FormDialog title={`New password for ${account.username}`} action="Set the password" busy={busy} onSubmit={submit} onClose={onClose}>
      <p class="dim">All sessions of {account.username} end at once.</p>
      <PasswordField label="New password" name="new-password" autocomplete="new-password" hint="At least 12 characters" value={password} onText={setPassword} error={fault} />
    </FormDialog>
  );
}

function DeleteAccount({ account, onClose, onDone }: { account: Account; onClose: () => void; onDone: () => void }) {
  const remove = async () => {
    await del(`/accounts/${encodeURIComponent(account.username)}`);
    toast(`${account.username} is deleted`);
    onDone();
  };
  return (
    <ConfirmDialog title={`Delete ${account.username}?`} action="Delete the account" typed={account.username} onConfirm={remove} onClose={onClose}>
      <p>It cannot log in any more and its sessions end at once. API tokens that it made go on working; what it changed stays in the list of changes.</p>
    </ConfirmDialog>
  );
}
