INSERT INTO traces (trace_id, started_at_ms)
SELECT *
  FROM UNNEST(CAST($1 AS TEXT[]), CAST($2 AS BIGINT[]))
    ON CONFLICT (trace_id) DO UPDATE
   SET started_at_ms = excluded.started_at_ms
 WHERE excluded.started_at_ms < traces.started_at_ms
