-- $1: slice; $2, $3: traces as cut rows: at 0 id (16), 16 root (25), 41 start (20), 61 status (1),
-- 62 channels (3), 65 services (20). What is known already is not written again.
INSERT INTO traces (slice, trace_id, root, started_at_ms, status, channels, services)
SELECT $1,
       substr($3, value, 16),
       substr($3, value + 16, 25),
       CAST(substr($3, value + 41, 20) AS INTEGER),
       CAST(substr($3, value + 61, 1) AS INTEGER),
       CAST(substr($3, value + 62, 3) AS INTEGER),
       CAST(substr($3, value + 65, 20) AS INTEGER)
  FROM json_each($2)
 WHERE true
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
