-- Windows of series added up by step, and of gauges what they stood at between windows.
-- $1: slice; $2: series; $3, $4: first and last window; $5: step.
SELECT series,
       bucket AS at_ms,
       CAST(SUM(total) + SUM(stood) AS DOUBLE PRECISION) AS total,
       CAST(MAX(total) AS DOUBLE PRECISION) AS busiest,
       CAST(MAX(peak) AS DOUBLE PRECISION) AS peak,
       MIN(first_ms) AS first_ms,
       MAX(last_ms) AS last_ms,
       CAST(MAX(final) AS DOUBLE PRECISION) AS last
  FROM (
        SELECT series, bucket, total, peak, first_ms, last_ms,
               CASE WHEN next_ms IS NULL THEN last END AS final,
               CASE WHEN next_ms > last_ms THEN last * (next_ms - last_ms) ELSE 0 END AS stood
          FROM (
                SELECT series, at_ms - at_ms % CAST($5 AS BIGINT) AS bucket, total, peak, first_ms, last_ms, last,
                       LEAD(first_ms) OVER (PARTITION BY series, at_ms - at_ms % CAST($5 AS BIGINT)
                                                ORDER BY at_ms) AS next_ms
                  FROM metric_windows
                 WHERE slice = $1
                   AND series = ANY (CAST($2 AS BIGINT[]))
                   AND at_ms BETWEEN $3 AND $4
               ) AS windows
       ) AS parts
 GROUP BY series, bucket
 ORDER BY series, bucket
