-- $1: JSON array of [trace id, start].
INSERT INTO traces (trace_id, started_at_ms)
SELECT row.value ->> 0, row.value ->> 1
  FROM json_each($1) AS row
 WHERE true
    ON CONFLICT (trace_id) DO UPDATE
   SET started_at_ms = excluded.started_at_ms
 WHERE excluded.started_at_ms < traces.started_at_ms
