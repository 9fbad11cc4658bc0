-- The SQLite twin takes JSON, because it has no arrays.
INSERT INTO metric_buckets (slice, series, at_ms, bucket, observations)
SELECT CAST($1 AS BIGINT), row.*
  FROM UNNEST(
         CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[])
       ) AS row
    ON CONFLICT (slice, series, at_ms, bucket) DO UPDATE
   SET observations = metric_buckets.observations + excluded.observations
