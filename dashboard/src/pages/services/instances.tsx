// Processes of a service: whether each is well, how it is reached, how old its certificate is.
import type { Certificate, ServiceDetail } from '@/api/types';
import { Ago, CopyButton, StatusBadge, duration, moment, shortId, useNow, utc, type Tone } from '@/ui';
import { certificateAge } from '@/telemetry/certificate';
import { stateOf, type State } from './model';

type Instance = ServiceDetail['instances'][number];

const TONES: Record<State, Tone> = { healthy: 'ok', unhealthy: 'bad', draining: 'warn', returning: 'warn' };

const MEANINGS: Record<State, string> = {
  healthy: 'It is connected and says that it is well.',
  unhealthy: 'It is connected and says that it is not well; others call it only when no healthy one is there.',
  draining: 'It is about to stop: it finishes what it has begun and gets no new calls.',
  returning: 'It was there before the runtime restarted and has not come back yet.',
};

export function Instances({ instances }: { instances: readonly Instance[] }) {
  if (instances.length === 0) {
    return (
      <p class="faint">
        None is connected. Start a process with a key of this service in <code>BRIDGE_KEY</code>; it appears here within a second.
      </p>
    );
  }
  return (
    <div class="sv-scroll">
      <table class="sv-table">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Instance</th>
            <th scope="col">Called at</th>
            <th scope="col">SDK</th>
            <th scope="col">Certificate</th>
            <th scope="col">Connected</th>
            <th scope="col">
              <span class="hidden-text">Its logs</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {instances.map((it) => (
            <InstanceRow key={it.id} it={it} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function InstanceRow({ it }: { it: Instance }) {
  const state = stateOf(it);
  return (
    <tr>
      <td>
        <StatusBadge tone={TONES[state]} title={MEANINGS[state]}>
          {state}
        </StatusBadge>
        {state === 'unhealthy' && it.unhealthy_since_unix_ms > 0 && (
          <div class="small faint">
            <Ago at={it.unhealthy_since_unix_ms} />
          </div>
        )}
      </td>
      <td>
        <span class="row gap-xs">
          <span class="mono" title={it.id}>
            {shortId(it.id)}
          </span>
          <CopyButton text={it.id} label="instance id" />
        </span>
      </td>
      <td>
        <Endpoint word="rpc" at={it.call_endpoint} />
        <Endpoint word="http" at={it.http_endpoint} />
        {!it.call_endpoint && !it.http_endpoint && <span class="faint">cannot be called</span>}
      </td>
      <td class="dim">{it.sdk || '–'}</td>
      <td>{it.certificate ? <CertificateBar certificate={it.certificate} /> : <span class="faint">not known</span>}</td>
      <td class="dim">
        <Ago at={it.connected_since_unix_ms} />
      </td>
      <td>
        <a href={`/logs?instance=${it.id}`}>Logs</a>
      </td>
    </tr>
  );
}

function Endpoint({ word, at }: { word: string; at: string }) {
  if (!at) return null;
  return (
    <div class="mono">
      <span class="faint">{word}</span> {at}
    </div>
  );
}

/** Age as a bar from issue to end; told in words as well. */
export function CertificateBar({ certificate }: { certificate: Certificate }) {
  const { share, tone, leftMs } = certificateAge(certificate, useNow());
  const words = leftMs <= 0 ? 'expired' : `${duration(Math.round(leftMs / 60_000) * 60_000)} left`;
  const title = `Issued ${moment(certificate.issued_at_unix_ms)}, expires ${moment(certificate.expires_at_unix_ms)} (${utc(certificate.expires_at_unix_ms)}). Services renew 25 to 30 minutes before the end.`;
  return (
    <div class={`sv-cert ${tone}`} title={title}>
      <span class="sv-cert-track" aria-hidden="true">
        <span style={{ width: `${(share * 100).toFixed(1)}%` }} />
      </span>
      <span class="small">
        {words}
        {tone === 'warn' && ' · renewal is late'}
      </span>
    </div>
  );
}
