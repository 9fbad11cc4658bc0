// Making a service or a key, and taking either away. A key is shown once: the dialog that shows it does not close by accident.
import { useState } from 'preact/hooks';
import { get, post } from '@/api/client';
import type { ServiceKeyShown, SettingSummary } from '@/api/types';
import { useResource } from '@/route/resource';
import { ConfirmDialog, Field, FormDialog, Input, Note, SecretDialog, plural, toast, useSending } from '@/ui';
import { serviceNameFault, snippets } from './model';

const GRPC_PORT = '14445';

/** Asks for a name, makes the service, shows its key. */
export function CreateService({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [name, setName] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [made, setMade] = useState<ServiceKeyShown | null>(null);
  const [busy, send] = useSending((problem) => setFault(problem.detail));
  if (made) return <KeyShown made={made} title={`${made.name} is made`} onClose={onClose} />;

  const submit = () => {
    const found = serviceNameFault(name);
    setFault(found);
    if (found) return;
    void send(async () => {
      setMade(await post<ServiceKeyShown>('/services', { name }));
      onMade();
    });
  };
  const shown = fault ?? (name === '' ? null : serviceNameFault(name));
  return (
    <FormDialog title="New service" action="Make it and show the key" busy={busy} onSubmit={submit} onClose={onClose}>
      <Field label="Name" hint="As its code calls it: a–z, 0–9, “-” and “_”. It cannot be changed later." error={shown}>
        {(aria) => <Input {...aria} name="service" value={name} onText={(it) => (setName(it), setFault(null))} placeholder="orders" />}
      </Field>
    </FormDialog>
  );
}

/** Makes a further key for a service. */
export function AddKey({ service, onClose, onMade }: { service: string; onClose: () => void; onMade: () => void }) {
  const [made, setMade] = useState<ServiceKeyShown | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [busy, send] = useSending((problem) => setFault(problem.detail));
  if (made) return <KeyShown made={made} title={`A key of ${service}`} onClose={onClose} />;
  const submit = () =>
    void send(async () => {
      setMade(await post<ServiceKeyShown>(`/services/${encodeURIComponent(service)}/keys`));
      onMade();
    });
  return (
    <FormDialog title={`Add a key to ${service}`} action="Make a key" busy={busy} onSubmit={submit} onClose={onClose}>
      <p class="dim">Keys that there are go on working. To change a key: add one, start the instances with it, then revoke the old one.</p>
      {fault && <Note tone="bad">{fault}</Note>}
    </FormDialog>
  );
}

function KeyShown({ made, title, onClose }: { made: ServiceKeyShown; title: string; onClose: () => void }) {
  const settings = useResource('settings-for-address', (signal) => get<SettingSummary[]>('/settings', {}, signal));
  const port = settings.data.value?.find((it) => it.key === 'network.grpc_port')?.value ?? GRPC_PORT;
  const code = snippets(made.name, made.key, `${location.hostname}:${port}`);
  const uses = [
    { title: 'Environment', label: 'environment', text: code.env, wrap: true },
    { title: 'Rust', label: 'Rust', text: code.rust },
    { title: 'Node and Go', label: 'environment of other SDKs', text: code.other, wrap: true },
  ];
  return (
    <SecretDialog title={title} what="key" secret={made.key} uses={uses} onClose={onClose}>
      The address is the one this page came from, with the port of services. Behind a proxy or in a container it is another.
    </SecretDialog>
  );
}

/** Revokes a service, after its name was typed. */
export function RevokeService(props: { name: string; instances: number; callers: string[]; onClose: () => void; onDone: () => void }) {
  const { name, instances, callers } = props;
  const revoke = async () => {
    await post(`/services/${encodeURIComponent(name)}/revoke`);
    toast(`${name} is revoked`);
    props.onDone();
  };
  return (
    <ConfirmDialog title={`Revoke ${name}?`} action="Revoke the service" typed={name} onConfirm={revoke} onClose={props.onClose}>
      <p>This cannot be taken back.</p>
      <ul class="sv-bullets">
        <li>All its keys stop working at once; no instance gets a certificate again.</li>
        <li>
          {instances === 0 ? 'It has no instance now.' : `Its ${plural(instances, 'instance')} ${instances === 1 ? 'is' : 'are'} cut off and ${instances === 1 ? 'leaves' : 'leave'} the map.`}
        </li>
        <li>{callers.length === 0 ? 'Nobody is known to call it.' : `Calls of ${callers.slice(0, 6).join(', ')}${callers.length > 6 ? ` and ${callers.length - 6} more` : ''} to it fail with NO_LIVE_INSTANCE.`}</li>
        <li>Its traces, logs and metrics stay for as long as they are kept.</li>
      </ul>
    </ConfirmDialog>
  );
}

/** Revokes one key, after the end of its id was typed. */
export function RevokeKey(props: { service: string; id: string; last: boolean; onClose: () => void; onDone: () => void }) {
  const tail = props.id.slice(-6);
  const revoke = async () => {
    await post(`/services/${encodeURIComponent(props.service)}/keys/${encodeURIComponent(props.id)}/revoke`);
    toast(`The key …${tail} is revoked`);
    props.onDone();
  };
  return (
    <ConfirmDialog title="Revoke this key?" action="Revoke the key" typed={tail} onConfirm={revoke} onClose={props.onClose}>
      <p>
        Nobody can join as <strong>{props.service}</strong> with it any more, and instances that joined with it get no further certificate.
      </p>
      {props.last && <Note tone="warn">It is the last key that works: no new instance can start until you add another.</Note>}
    </ConfirmDialog>
  );
}
