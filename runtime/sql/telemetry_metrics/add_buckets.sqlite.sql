-- $1: slice; $2: JSON array of [series, at, bucket, observations].
INSERT INTO metric_buckets (slice, series, at_ms, bucket, observations)
SELECT $1, row.value ->> 0, row.value ->> 1, row.value ->> 2, row.value ->> 3
  FROM json_each($2) AS row
 WHERE true
    ON CONFLICT (slice, series, at_ms, bucket) DO UPDATE
   SET observations = metric_buckets.observations + excluded.observations
