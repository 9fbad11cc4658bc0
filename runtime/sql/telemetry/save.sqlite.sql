-- $1: slice; $2, $3: operations as cut rows, already merged. Each row:
--   at 0, 16, 32, 48, 64: ids of operation, trace, parent, service, instance
--   80 has parent (1), 81 channel (2), 83 kind (10), 93 attempt (11), 104 start (20),
--   124 has end (1), 125 end (20), 145 status (1), 146 text (20), 166 rev (20)
--   186 and on: seven ends (7 each) of the seven texts, which begin at 235
-- Trace and actor never change. A row that somebody else has written since is left as it is.
-- "WHERE true" keeps the parser from reading ON CONFLICT as a join condition.
INSERT INTO ops (
       slice, op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
)
SELECT $1,
       substr($3, value, 16),
       substr($3, value + 16, 16),
       CASE WHEN CAST(substr($3, value + 80, 1) AS INTEGER) THEN substr($3, value + 32, 16) END,
       CAST(substr($3, value + 81, 2) AS INTEGER),
       CAST(substr($3, value + 83, 10) AS INTEGER),
       CAST(substr($3, value + 235, CAST(substr($3, value + 186, 7) AS INTEGER)) AS TEXT),
       substr($3, value + 48, 16),
       substr($3, value + 64, 16),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 186, 7) AS INTEGER),
                   CAST(substr($3, value + 193, 7) AS INTEGER)
                   - CAST(substr($3, value + 186, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 193, 7) AS INTEGER),
                   CAST(substr($3, value + 200, 7) AS INTEGER)
                   - CAST(substr($3, value + 193, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 200, 7) AS INTEGER),
                   CAST(substr($3, value + 207, 7) AS INTEGER)
                   - CAST(substr($3, value + 200, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 93, 11) AS INTEGER),
       CAST(substr($3, value + 104, 20) AS INTEGER),
       CASE WHEN CAST(substr($3, value + 124, 1) AS INTEGER)
            THEN CAST(substr($3, value + 125, 20) AS INTEGER) END,
       CAST(substr($3, value + 145, 1) AS INTEGER),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 207, 7) AS INTEGER),
                   CAST(substr($3, value + 214, 7) AS INTEGER)
                   - CAST(substr($3, value + 207, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 214, 7) AS INTEGER),
                   CAST(substr($3, value + 221, 7) AS INTEGER)
                   - CAST(substr($3, value + 214, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 235 + CAST(substr($3, value + 221, 7) AS INTEGER),
                   CAST(substr($3, value + 228, 7) AS INTEGER)
                   - CAST(substr($3, value + 221, 7) AS INTEGER)) AS TEXT),
       CAST(substr($3, value + 146, 20) AS INTEGER),
       CAST(substr($3, value + 166, 20) AS INTEGER)
  FROM json_each($2)
 WHERE true
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
