// Checked by `npm run check`, part of no bundle: every field that the console needs (types.ts) is one that the runtime's own
// document (runtime/assets/openapi.json, made into types by openapi-typescript) has. A renamed field does not compile.
import type { components } from '../../.openapi/schema';
import type * as Ours from './types';

type Theirs = components['schemas'];
/** Fields that the console cannot do without; those it calls optional may be missing. */
type Needed<It> = { [K in keyof It]-?: object extends Pick<It, K> ? never : K }[keyof It];
/** `true`, or the names of needed fields that the runtime does not have. */
type Known<Mine, Wire> = [Exclude<Needed<Mine>, keyof Wire>] extends [never] ? true : Exclude<Needed<Mine>, keyof Wire>;
type AllTrue<Rows extends readonly true[]> = Rows;

/** One row for each type of the wire; what is not `true` does not compile and names the fields. */
export type Contract = AllTrue<[
  Known<Ours.Session, Theirs['SessionShown']>,
  Known<Ours.Account, Theirs['AccountShown']>,
  Known<Ours.ApiToken, Theirs['TokenShown']>,
  Known<Ours.ApiTokenShown, Theirs['TokenMade']>,
  Known<Ours.About, Theirs['About']>,
  Known<Ours.Load, Theirs['Load']>,
  Known<Ours.RedPoint, Theirs['RedPoint']>,
  Known<Ours.RedPage, Theirs['RedPage']>,
  Known<Ours.MapInstance, Theirs['MapInstance']>,
  Known<Ours.MapMethod, Theirs['MapMethod']>,
  Known<Ours.LiveService, Theirs['LiveService']>,
  Known<Ours.Link, Theirs['Link']>,
  Known<Ours.LiveEdge, Theirs['LiveEdge']>,
  Known<Ours.LiveMap, Theirs['LiveMap']>,
  Known<Ours.ServiceSummary, Theirs['ServiceSummary']>,
  Known<Ours.ServiceMethod, Theirs['ServiceMethod']>,
  Known<Ours.ServiceDetail, Theirs['ServiceDetail']>,
  Known<Ours.ServiceKeyShown, Theirs['ServiceKeyShown']>,
  Known<Ours.SettingSummary, Theirs['SettingSummary']>,
  Known<Ours.AuditLine, Theirs['AuditLine']>,
  Known<Ours.Finding, Theirs['Finding']>,
  Known<Ours.TraceLine, Theirs['TraceLine']>,
  Known<Ours.TracesPage, Theirs['TracesPage']>,
  Known<Ours.TraceOp, Theirs['TraceOp']>,
  Known<Ours.TraceTree, Theirs['TraceTree']>,
  Known<Ours.PayloadShown, Theirs['PayloadShown']>,
  Known<Ours.LogLine, Theirs['LogLine']>,
  Known<Ours.LogsPage, Theirs['LogsPage']>,
  Known<Ours.EndedOp, Theirs['EndedOp']>,
  Known<Ours.MetricName, Theirs['MetricName']>,
  Known<Ours.MetricLine, Theirs['MetricLine']>,
  Known<Ours.MetricShown, Theirs['MetricShown']>,
  Known<Ours.ServiceRoutes, Theirs['ServiceRoutes']>,
  Known<Ours.RoutesPage, Theirs['RoutesPage']>,
  Known<Ours.LiveEvents['hello'], Theirs['Hello']>,
  Known<Ours.LiveEvents['map'], Theirs['Topology']>,
  Known<Ours.LiveEvents['load'], Theirs['Loads']>,
  Known<Ours.LiveEvents['ops'], Theirs['OpsTold']>,
  Known<Ours.LiveEvents['logs'], Theirs['LogsTold']>,
]>;
