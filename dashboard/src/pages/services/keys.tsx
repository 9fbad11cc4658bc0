// Keys of a service: their ids, never what they are.
import { useState } from 'preact/hooks';
import type { ServiceDetail } from '@/api/types';
import { isAdmin } from '@/app/session';
import { Ago, Button, Empty, PlainTable, Section, StatusBadge, Time } from '@/ui';
import { RevokeKey } from './create';

type Key = ServiceDetail['keys'][number];

export function Keys({ service, onChange }: { service: ServiceDetail; onChange: () => void }) {
  const [revoking, setRevoking] = useState<Key | null>(null);
  const working = service.keys.filter((it) => !it.revoked_at_unix_ms);
  if (service.keys.length === 0) {
    return (
      <Empty icon="key" title="No key">
        <p>Nobody can join as this service. {isAdmin() && service.status === 'active' ? 'Add a key at the top.' : ''}</p>
      </Empty>
    );
  }
  return (
    <Section title="Keys" note="The runtime keeps digests; a key cannot be shown again.">
      <PlainTable box="sv-scroll" look="sv-table" heads={['State', 'Id', 'Created', 'Revoked']} acts="What can be done">
        {service.keys.map((it) => (
          <tr key={it.id}>
            <td>{it.revoked_at_unix_ms ? <StatusBadge tone="idle">revoked</StatusBadge> : <StatusBadge tone="ok">works</StatusBadge>}</td>
            <td class="mono">{it.id}</td>
            <td>
              <Time at={it.created_at_unix_ms} />
            </td>
            <td>{it.revoked_at_unix_ms ? <Ago at={it.revoked_at_unix_ms} /> : <span class="faint">–</span>}</td>
            <td class="num">
              {isAdmin() && !it.revoked_at_unix_ms && service.status === 'active' && (
                <Button look="danger" onClick={() => setRevoking(it)}>
                  Revoke
                </Button>
              )}
            </td>
          </tr>
        ))}
      </PlainTable>
      {revoking && <RevokeKey service={service.name} id={revoking.id} last={working.length === 1} onClose={() => setRevoking(null)} onDone={onChange} />}
    </Section>
  );
}
