// One node: a service's card, a group's card, or the box of an open group. Numbers are signals bound to text, so that a second's
// loads change words in place and render nothing anew.
import { computed, useComputed, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { certificateFault } from '@/telemetry/certificate';
import { count, Icon, percent, plural, rate, duration } from '@/ui';
import { memo } from './memo';
import { CARD_HEIGHT, CARD_WIDTH, errorTone, healthOf, instancesOf, isForeign, OUTSIDE, stateOf, sumLoads, type MapNode, type Member, type Role } from './model';
import { loads, slowClock } from './store';

export interface CardProps {
  node: MapNode;
  chosen: boolean;
  /** Something else is chosen that this has nothing to do with. */
  dim: boolean;
  /** Search finds it. */
  found: boolean;
  /** The one card that Tab reaches. */
  reachable: boolean;
  mount: (id: string, element: HTMLElement | null) => void;
  onChoose: (id: string) => void;
  onToggle: (node: MapNode) => void;
}

export const Card = memo(function Card({ node, chosen, dim, found, reachable, mount, onChoose, onToggle }: CardProps) {
  const load = useComputed(() => sumLoads(node.members.map((it) => loads.value.services.get(it.name))));
  const tone = useComputed(() => errorTone(load.value));
  const [state, stateText] = stateOf(node.role, node.members);
  const look = `mp-node ${node.role} ${chosen ? 'chosen' : ''} ${dim ? 'dim' : ''} ${found ? 'found' : ''} is-${state}`;
  return (
    <div
      ref={(element: HTMLElement | null) => mount(node.id, element)}
      class={look}
      role="button"
      data-node={node.id}
      tabIndex={reachable ? 0 : -1}
      aria-pressed={chosen}
      style={{ width: `${node.width}px`, height: `${node.height}px` }}
      onClick={() => onChoose(node.id)}
      onDblClick={() => node.role === 'group' && onToggle(node)}
    >
      <Ring role={node.role} members={node.members} />
      <span class="mp-words">
        <span class="mp-name" title={node.title}>
          {node.short ?? node.title}
        </span>
        <span class="hidden-text">{stateText}</span>
        {node.role === 'group' && <span class="mp-sub">{plural(node.members.length, 'service')}</span>}
        <Numbers load={load} tone={tone} quiet={quietWord(node.role, stateText, state)} />
      </span>
      <CertificateMark members={node.members} />
    </div>
  );
});

/** A key, where a certificate was not renewed in time: the instance will be cut off, and nobody has noticed yet. */
function CertificateMark({ members }: { members: readonly Member[] }) {
  const word = useMemo(() => computed(() => certificateWord(members)), [members]);
  if (word.value === null) return null;
  const [tone, text] = word.value.split(': ') as [string, string];
  return (
    <span class={`mp-cert-mark ${tone}`} title={text}>
      <Icon name="key" size={14} label={text} />
    </span>
  );
}

/** As a text, so that nothing is drawn anew while it says the same. */
function certificateWord(members: readonly Member[]): string | null {
  const fault = certificateFault(members.flatMap((it) => it.service?.instances ?? []), slowClock.value);
  return fault && `${fault.tone}: ${fault.word}`;
}

function quietWord(role: Role, text: string, tone: string): string {
  if (role === 'outside') return 'callers';
  return tone === 'ok' ? 'no calls' : text;
}

type LoadSignal = ReadonlySignal<{ per_second: number; errors: number; count: number; p95_ms: number } | null>;

function Numbers({ load, tone, quiet }: { load: LoadSignal; tone: ReadonlySignal<string>; quiet: string }) {
  const some = useComputed(() => load.value !== null);
  const calls = useComputed(() => (load.value ? rate(load.value.per_second) : ''));
  const failed = useComputed(() => (load.value ? percent(load.value.errors, load.value.count) : ''));
  const slow = useComputed(() => (load.value ? duration(load.value.p95_ms) : ''));
  const look = useComputed(() => `mp-errors ${tone.value}`);
  if (!some.value) return <span class="mp-numbers mp-quiet">{quiet}</span>;
  return (
    <span class="mp-numbers">
      <span>{calls}</span>
      <span class={look}>
        {failed}
        <span class="hidden-text"> failed</span>
      </span>
      <span class="mp-p95">
        {slow}
        <span class="hidden-text"> at the 95th percentile</span>
      </span>
    </span>
  );
}

const RADIUS = 13;
const ROUND = 2 * Math.PI * RADIUS;

/** Instances around a number: each state its share of the ring, its colour and (bad ones) its pattern. */
export function Ring({ role, members }: { role: Role; members: readonly Member[] }) {
  const foreign = isForeign(members);
  if (role === 'outside' || role === 'ghost' || foreign) {
    return (
      <span class="mp-ring plain" aria-hidden="true">
        <Icon name={role === 'outside' ? 'outside' : foreign ? 'external' : 'warn'} size={20} />
      </span>
    );
  }
  const health = healthOf(members);
  const all = instancesOf(health);
  const parts = [
    ['healthy', health.healthy],
    ['draining', health.draining],
    ['returning', health.returning],
    ['unhealthy', health.unhealthy],
  ] as const;
  let before = 0;
  return (
    <svg class="mp-ring" width="34" height="34" viewBox="0 0 34 34" aria-hidden="true">
      <circle class="mp-ring-ground" cx="17" cy="17" r={RADIUS} />
      {parts.map(([state, many]) => {
        if (many === 0) return null;
        const length = (many / all) * ROUND;
        const gap = many === all ? 0 : 2;
        const dash = state === 'unhealthy' ? unhealthyDash(length - gap) : `${Math.max(1, length - gap)} ${ROUND}`;
        const offset = -before;
        before += length;
        return <circle key={state} class={`mp-ring-part ${state}`} cx="17" cy="17" r={RADIUS} stroke-dasharray={dash} stroke-dashoffset={offset} transform="rotate(-90 17 17)" />;
      })}
      <text x="17" y="21" text-anchor="middle">
        {count(all)}
      </text>
    </svg>
  );
}

/** Short strokes: told from a healthy part without colour. */
function unhealthyDash(length: number): string {
  const pieces = Math.max(1, Math.floor(length / 5));
  const piece = length / pieces;
  return `${Array.from({ length: pieces }, () => `${(piece * 0.6).toFixed(2)} ${(piece * 0.4).toFixed(2)}`).join(' ')} 0 ${ROUND}`;
}

/** The frame around the members of an open group. */
export function GroupBox({ node, mount, onToggle }: Pick<CardProps, 'node' | 'mount' | 'onToggle'>) {
  return (
    <div class="mp-box" ref={(element: HTMLElement | null) => mount(node.id, element)} style={{ width: `${node.width}px`, height: `${node.height}px` }}>
      <button class="mp-box-head" type="button" aria-expanded="true" title={`Close ${node.title}`} onClick={() => onToggle(node)}>
        <Icon name="minus" size={14} />
        <span class="cut">{node.title}</span>
        <span class="faint">{plural(node.members.length, 'service')}</span>
      </button>
    </div>
  );
}

/** A member as a node of its own, inside of its open group. */
export function memberNode(member: Member, id: string, prefix: string): MapNode {
  const short = member.name.slice(prefix.length).replace(/^[-._/:]+/, '') || member.name;
  const [width, height] = [CARD_WIDTH, CARD_HEIGHT];
  return { id, short, role: member.service ? 'service' : 'ghost', title: member.name === OUTSIDE ? 'Outside' : member.name, members: [member], open: false, width, height };
}
