-- The SQLite twin takes JSON, because it has no arrays.
INSERT INTO ops (
       op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json
)
SELECT *
  FROM UNNEST(
         CAST($1 AS TEXT[]), CAST($2 AS TEXT[]), CAST($3 AS TEXT[]), CAST($4 AS BIGINT[]),
         CAST($5 AS BIGINT[]), CAST($6 AS TEXT[]), CAST($7 AS TEXT[]), CAST($8 AS TEXT[]),
         CAST($9 AS TEXT[]), CAST($10 AS TEXT[]), CAST($11 AS TEXT[]), CAST($12 AS BIGINT[]),
         CAST($13 AS BIGINT[]), CAST($14 AS BIGINT[]), CAST($15 AS BIGINT[]),
         CAST($16 AS TEXT[]), CAST($17 AS TEXT[]), CAST($18 AS TEXT[])
       )
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
