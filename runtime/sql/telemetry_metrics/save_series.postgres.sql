-- The SQLite twin takes JSON, because it has no arrays.
INSERT INTO metric_series (slice, series, kind, name, labels_json, service_id, instance_id, unit,
                           bounds_json)
SELECT CAST($1 AS BIGINT), row.series, row.kind, row.name, row.labels_json, CAST($7 AS BYTEA),
       CAST($8 AS BYTEA), row.unit, row.bounds_json
  FROM UNNEST(
         CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS TEXT[]), CAST($5 AS TEXT[]),
         CAST($6 AS TEXT[]), CAST($9 AS TEXT[])
       ) AS row (series, kind, name, labels_json, unit, bounds_json)
    ON CONFLICT (slice, series) DO NOTHING
