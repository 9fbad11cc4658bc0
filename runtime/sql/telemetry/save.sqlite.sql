-- $1: JSON array of operations, already merged. Trace and actor never change.
-- "WHERE true" keeps the parser from reading ON CONFLICT as a join condition.
INSERT INTO ops (
       op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json
)
SELECT row.value ->> 'op_id',
       row.value ->> 'trace_id',
       row.value ->> 'parent_op_id',
       row.value ->> 'channel',
       row.value ->> 'kind',
       row.value ->> 'subject',
       row.value ->> 'service_id',
       row.value ->> 'instance_id',
       row.value ->> 'peer_service_id',
       row.value ->> 'peer_instance_id',
       row.value ->> 'business_key',
       row.value ->> 'attempt',
       row.value ->> 'started_at_ms',
       row.value ->> 'finished_at_ms',
       row.value ->> 'status',
       row.value ->> 'status_message',
       row.value ->> 'meta_json',
       row.value ->> 'attrs_json'
  FROM json_each($1) AS row
 WHERE true
    ON CONFLICT (op_id) DO UPDATE
   SET parent_op_id = excluded.parent_op_id,
       channel = excluded.channel,
       kind = excluded.kind,
       subject = excluded.subject,
       peer_service_id = excluded.peer_service_id,
       peer_instance_id = excluded.peer_instance_id,
       business_key = excluded.business_key,
       attempt = excluded.attempt,
       started_at_ms = excluded.started_at_ms,
       finished_at_ms = excluded.finished_at_ms,
       status = excluded.status,
       status_message = excluded.status_message,
       meta_json = excluded.meta_json,
       attrs_json = excluded.attrs_json
