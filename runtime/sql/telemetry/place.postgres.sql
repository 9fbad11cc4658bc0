-- $1: slice; the rest: columns of traces. What is known already is not written again.
INSERT INTO traces (slice, trace_id, root, started_at_ms, status, channels, services)
SELECT $1, row.*
  FROM UNNEST(
         CAST($2 AS BYTEA[]), CAST($3 AS BYTEA[]), CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]),
         CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[])
       ) AS row
    ON CONFLICT (slice, trace_id) DO UPDATE
   SET started_at_ms = CASE WHEN excluded.started_at_ms < traces.started_at_ms
                            THEN excluded.started_at_ms ELSE traces.started_at_ms END,
       root = CASE WHEN excluded.root < traces.root
                     OR substr(excluded.root, 10) = substr(traces.root, 10)
                   THEN excluded.root ELSE traces.root END,
       status = CASE WHEN excluded.root < traces.root
                       OR substr(excluded.root, 10) = substr(traces.root, 10)
                     THEN excluded.status ELSE traces.status END,
       channels = traces.channels | excluded.channels,
       services = traces.services | excluded.services
 WHERE excluded.started_at_ms < traces.started_at_ms
    OR excluded.root < traces.root
    OR (substr(excluded.root, 10) = substr(traces.root, 10)
        AND (excluded.root <> traces.root OR excluded.status <> traces.status))
    OR (traces.channels | excluded.channels) <> traces.channels
    OR (traces.services | excluded.services) <> traces.services
