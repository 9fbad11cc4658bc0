// What travels over the API, by hand and small; names are the wire's. Times are unix milliseconds, spans milliseconds.
// The runtime's OpenAPI document is the authority; contract.ts compares.

export type Role = 'admin' | 'viewer';

export interface Session {
  username: string;
  role: Role;
  csrf_token: string;
  expires_at_unix_ms: number;
  via: 'session' | 'token' | 'local';
}

export interface Account {
  username: string;
  role: Role;
  created_at_unix_ms: number;
  last_login_at_unix_ms?: number | null;
}

export interface ApiToken {
  id: string;
  name: string;
  role: Role;
  created_by?: string;
  created_at_unix_ms: number;
  last_used_at_unix_ms?: number | null;
  expires_at_unix_ms?: number | null;
}

export interface ApiTokenShown {
  id: string;
  name: string;
  role: Role;
  token: string;
}

export interface About {
  version: string;
  started_at_unix_ms: number;
  now_unix_ms: number;
  database: 'sqlite' | 'postgresql';
  services?: number;
  instances?: number;
  telemetry: Record<string, unknown>;
  sizes: Record<string, number>;
}

export interface Load {
  count: number;
  errors: number;
  per_second: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

export interface RedPoint {
  at_unix_ms: number;
  count: number;
  errors: number;
  p50_ms: number;
  p95_ms: number;
}

export interface Red extends Load {
  points: RedPoint[];
  /** Buckets with something in them, ascending; absent when the runtime does not tell. */
  histogram?: { up_to_ms: number; count: number }[];
}

export interface RedRoute {
  kind: string;
  name: string;
  red: Red;
}

export interface RedService {
  service: string;
  total: Red;
  routes: RedRoute[];
}

export interface RedPage {
  window_ms: number;
  step_ms: number;
  services: RedService[];
  truncated?: boolean;
}

export type Health = 'healthy' | 'unhealthy' | 'draining';

export interface Certificate {
  issued_at_unix_ms: number;
  expires_at_unix_ms: number;
}

export interface MapInstance {
  id: string;
  status: 'connected' | 'returning';
  call_endpoint: string;
  http_endpoint: string;
  sdk: string;
  unhealthy_since_unix_ms: number;
  health?: Health;
  certificate?: Certificate | null;
  connected_since_unix_ms?: number | null;
}

export interface MapMethod {
  kind: string;
  name: string;
  contract_hash: string;
  instances: number;
}

/** `foreign`: it has no key and only reports, over OTLP. */
export type ServiceStatus = 'active' | 'revoked' | 'foreign';

export interface LiveService {
  id: string;
  name: string;
  status: ServiceStatus;
  instances: MapInstance[];
  methods: MapMethod[];
  served?: Load | null;
}

export interface Link {
  from: string;
  to: string;
  methods: string[];
  declared: boolean;
  live: boolean;
  load?: Load | null;
}

export interface LiveEdge {
  from: string;
  to: string;
  kind: string;
  method: string;
  live: boolean;
  declared: boolean;
  load?: Load | null;
}

export interface LiveMap {
  window_ms: number;
  services: LiveService[];
  edges: LiveEdge[];
  links: Link[];
  uncounted: number;
}

export interface ServiceSummary {
  id: string;
  name: string;
  status: ServiceStatus;
  keys: number;
  instances: number;
  created_at_unix_ms: number;
}

export interface ServiceMethod extends MapMethod {
  streaming: boolean;
  published: boolean;
  input_schema: unknown;
  output_schema: unknown;
  served: Load | null;
}

export interface ServiceDetail extends Omit<ServiceSummary, 'instances' | 'keys' | 'created_at_unix_ms'> {
  /** Null for a foreign one. */
  created_at_unix_ms: number | null;
  instances: (MapInstance & { health: Health; certificate: Certificate | null; connected_since_unix_ms: number | null })[];
  methods: ServiceMethod[];
  calls: { to: string; kind: string; method: string; declared: boolean; live: boolean; load: Load | null }[];
  called_by: { from: string; kind: string; method: string; declared: boolean; load: Load | null }[];
  keys: { id: string; created_at_unix_ms: number; revoked_at_unix_ms?: number | null }[];
}

export interface ServiceKeyShown {
  id: string;
  name: string;
  key: string;
}

export interface SettingSummary {
  key: string;
  value: string;
  pending: string | null;
  default: string;
  bounds: string;
  doc: string;
  section?: string;
  kind?: 'integer' | 'switch' | 'choice' | 'text' | 'words';
  unit?: string | null;
  min?: number | null;
  max?: number | null;
  choices?: string[] | null;
  requires_restart?: boolean;
}

export interface AuditPage {
  entries: AuditLine[];
  next?: string | null;
}

export interface AuditLine {
  id: string;
  at_unix_ms: number;
  actor: string;
  action: string;
  target: string;
  detail: unknown;
}

export interface Finding {
  check: string;
  verdict: 'ok' | 'warn' | 'fail';
  detail: string;
}

export type OpStatus = 'PENDING' | 'SUCCESS' | 'ERROR' | 'TIMEOUT' | 'ABANDONED';

export interface TraceLine {
  trace_id: string;
  subject: string;
  service: string;
  started_at_unix_ms: number;
  duration_ms: number;
  ops: number;
  status: OpStatus;
  running: boolean;
  channel?: string;
  errors?: number;
}

export interface TracesPage {
  traces: TraceLine[];
  next?: string | null;
}

export interface TraceOp {
  op_id: string;
  depth: number;
  channel: string;
  subject: string;
  service: string;
  instance_id: string;
  peer: string;
  started_at_unix_ms: number;
  duration_ms: number | null;
  status: OpStatus;
  message: string;
  attempt: number;
  business_key: string;
  critical: boolean;
  meta: unknown;
  attrs: unknown;
}

export interface PayloadShown {
  op_id: string;
  direction: 'in' | 'out';
  original_bytes: number;
  kept_bytes: number;
  decoded: unknown;
  raw: string;
  contract_hash: string;
  schema_drift: boolean;
}

export interface LogLine {
  id: string;
  at_unix_ms: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  service: string;
  instance_id: string;
  source: string;
  message: string;
  fields: unknown;
  trace_id: string;
  op_id: string;
}

export interface LogsPage {
  logs: LogLine[];
  next?: string | null;
}

export interface TraceTree {
  trace_id: string;
  ops: TraceOp[];
  truncated: boolean;
  logs?: LogLine[];
  logs_truncated?: boolean;
  payloads?: PayloadShown[];
}

export interface EndedOp {
  trace_id: string;
  op_id: string;
  parent_op_id: string | null;
  channel: string;
  subject: string;
  service: string;
  instance_id: string;
  peer: string;
  business_key: string;
  started_at_unix_ms: number;
  duration_ms: number;
  status: OpStatus;
  message: string;
}

export interface MetricName {
  name: string;
  kind: 'counter' | 'gauge' | 'histogram';
  unit: string;
  series: number;
}

export interface MetricDot {
  at_unix_ms: number;
  value: number;
  max: number;
}

export interface MetricLine {
  name: string;
  kind: 'counter' | 'gauge' | 'histogram';
  unit: string;
  service: string;
  instance_id: string;
  labels: Record<string, string>;
  points: MetricDot[];
}

export interface MetricShown {
  step_ms: number;
  series: MetricLine[];
  truncated: boolean;
}

export interface ServiceRoutes {
  service: string;
  instances: number;
  mounted: string[];
  called: string[] | null;
  uncertain: string[];
}

export interface RoutesPage {
  from_unix_ms: number;
  until_unix_ms: number;
  services: ServiceRoutes[];
  truncated: boolean;
}

// Events of `GET /live`, by name.
export interface LiveEvents {
  hello: { version: string; started_at_unix_ms: number; now_unix_ms: number; heartbeat_ms: number };
  map: { sequence: number; services: LiveService[]; links: Link[] };
  /** Of the map that was told last; see `changed` in live.ts. */
  change: { sequence: number; of: number; services: [number, LiveService][]; links: [number, Link][] };
  load: { sequence: number; at_unix_ms: number; window_ms: number; services: LoadRow[]; links: LoadRow[] };
  ops: { ops: EndedOp[]; missed: number };
  logs: { logs: LogLine[]; missed: number };
  quiet: Record<string, never>;
  expired: Record<string, never>;
  bye: Record<string, never>;
}

/** index, count, errors, per_second, p50_ms, p95_ms, p99_ms */
export type LoadRow = [number, number, number, number, number, number, number];
