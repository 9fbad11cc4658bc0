-- Observations of histograms added up by step.
-- $1: slice; $2: series; $3, $4: first and last window; $5: step.
SELECT series,
       at_ms - at_ms % CAST($5 AS BIGINT) AS at_ms,
       bucket,
       CAST(SUM(observations) AS BIGINT) AS observations
  FROM metric_buckets
 WHERE slice = $1
   AND series = ANY (CAST($2 AS BIGINT[]))
   AND at_ms BETWEEN $3 AND $4
 GROUP BY series, at_ms - at_ms % CAST($5 AS BIGINT), bucket
 ORDER BY series, at_ms - at_ms % CAST($5 AS BIGINT), bucket
