-- $1: slice; $2: JSON array of [series, kind, name, labels, unit, bounds]; $3: service;
-- $4: instance.
INSERT INTO metric_series (slice, series, kind, name, labels_json, service_id, instance_id, unit,
                           bounds_json)
SELECT $1, row.value ->> 0, row.value ->> 1, row.value ->> 2, row.value ->> 3, $3, $4,
       row.value ->> 4, row.value ->> 5
  FROM json_each($2) AS row
 WHERE true
    ON CONFLICT (slice, series) DO NOTHING
