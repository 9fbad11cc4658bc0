-- $1: slice; the rest: columns of operations, already merged. Trace and actor never change. A row
-- that somebody else has written since is left as it is.
INSERT INTO ops (
       slice, op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
)
SELECT $1, row.*
  FROM UNNEST(
         CAST($2 AS BYTEA[]), CAST($3 AS BYTEA[]), CAST($4 AS BYTEA[]), CAST($5 AS BIGINT[]),
         CAST($6 AS BIGINT[]), CAST($7 AS TEXT[]), CAST($8 AS BYTEA[]), CAST($9 AS BYTEA[]),
         CAST($10 AS TEXT[]), CAST($11 AS TEXT[]), CAST($12 AS TEXT[]), CAST($13 AS BIGINT[]),
         CAST($14 AS BIGINT[]), CAST($15 AS BIGINT[]), CAST($16 AS BIGINT[]),
         CAST($17 AS TEXT[]), CAST($18 AS TEXT[]), CAST($19 AS TEXT[]), CAST($20 AS BIGINT[]),
         CAST($21 AS BIGINT[])
       ) AS row
    ON CONFLICT (slice, op_id) DO UPDATE
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
       attrs_json = excluded.attrs_json,
       text_id = excluded.text_id,
       rev = excluded.rev
 WHERE ops.rev = excluded.rev - 1
