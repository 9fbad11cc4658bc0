// What an operation received and sent: decoded where somebody can tell what the bytes mean, and as the bytes they are.
//
// A payload is text and stays text, whatever it contains.
import { useState } from 'preact/hooks';
import type { PayloadShown, TraceOp } from '@/api/types';
import { bytes, CodeBlock, CopyButton, JsonView, Section, Segments, StatusBadge } from '@/ui';
import { visible } from '@/telemetry/lines';

/** Operations of a trace whose payloads the runtime looks for. */
const OPS_MAX = 200;
/** Letters of raw bytes that are shown; copying takes all. */
const RAW_MAX = 20_000;

export function Payloads({ op, at, payloads }: { op: TraceOp; at: number; payloads: readonly PayloadShown[] }) {
  if (payloads.length === 0) return <Section title="Payloads"><p class="faint tm-prose">{whyNone(op, at)}</p></Section>;
  return (
    <>
      {payloads.map((it) => (
        <Payload key={`${it.op_id}${it.direction}`} op={op} payload={it} />
      ))}
    </>
  );
}

const SETTINGS: Record<string, string> = { http: 'http.payload_capture', rpc: 'rpc.payload_capture', event: 'events.payload_capture', workflow: 'workflows.payload_capture' };

function whyNone(op: TraceOp, at: number) {
  const key = SETTINGS[op.channel];
  if (key === undefined) return 'Operations of this kind carry no payload.';
  if (at >= OPS_MAX) return `Payloads are shown for the first ${OPS_MAX} operations of a trace.`;
  return (
    <>
      None was kept. What is captured is decided by <a href={`/settings?q=${key}`}>{key}</a>, and for how long by its retention.
    </>
  );
}

function titleOf(op: TraceOp, direction: string): string {
  const asks = op.channel === 'http' || op.channel === 'rpc';
  return direction === 'in' ? (asks ? 'Request' : 'Received') : asks ? 'Response' : 'Sent';
}

function Payload({ op, payload }: { op: TraceOp; payload: PayloadShown }) {
  const known = payload.decoded !== null && payload.decoded !== undefined;
  const [form, setForm] = useState<'decoded' | 'raw'>(known ? 'decoded' : 'raw');
  const cut = payload.kept_bytes < payload.original_bytes;
  const size = cut ? `${bytes(payload.kept_bytes)} of ${bytes(payload.original_bytes)}` : bytes(payload.original_bytes);
  const actions = (
    <>
      {known && <Segments label="Form" value={form} options={FORMS} onPick={setForm} />}
      {form === 'decoded' && <CopyButton text={() => JSON.stringify(payload.decoded, null, 2)} label="payload" />}
    </>
  );
  return (
    <Section title={titleOf(op, payload.direction)} note={size} actions={actions}>
      <div class="row wrap tr-payload-marks">
        {cut && <StatusBadge tone="warn" title="Only the beginning was kept: telemetry.payload_max_bytes">cut</StatusBadge>}
        {payload.schema_drift && <StatusBadge tone="warn" title="The contract it was encoded with is not known here, or does not fit the bytes">schema drift</StatusBadge>}
        {payload.contract_hash !== '' && <span class="faint small mono cut" title={payload.contract_hash}>{payload.contract_hash.slice(0, 22)}</span>}
      </div>
      {form === 'decoded' ? <JsonView value={payload.decoded} label="Payload" /> : <Raw text={payload.raw} />}
    </Section>
  );
}

const FORMS = [
  ['decoded', 'Decoded'],
  ['raw', 'Raw'],
] as const;

function Raw({ text }: { text: string }) {
  if (text === '') return <p class="faint">Empty</p>;
  const cut = text.length > RAW_MAX;
  return (
    <>
      <CodeBlock text={visible(cut ? text.slice(0, RAW_MAX) : text)} label="raw payload" wrap />
      {cut && <p class="faint small">The first {RAW_MAX} letters; copying takes all that was kept.</p>}
    </>
  );
}
