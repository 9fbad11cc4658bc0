-- The last of the next $6 traces in a time window ($2, $3) after the last one seen ($4, $5); none
-- when there are less.
SELECT started_at_ms, trace_id
  FROM traces
 WHERE slice = $1
   AND started_at_ms BETWEEN $2 AND $3
   AND (started_at_ms, trace_id) < ($4, $5)
 ORDER BY started_at_ms DESC, trace_id DESC
 LIMIT 1 OFFSET $6
