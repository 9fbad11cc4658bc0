-- $1: slice; $2: name; $3: service; $4: instance; $5: after this one; $6: limit. Empty ids ask for
-- no filter.
SELECT series, kind, name, labels_json, service_id, instance_id, unit, bounds_json
  FROM metric_series
 WHERE slice = $1
   AND name = $2
   AND (service_id = $3 OR length($3) = 0)
   AND (instance_id = $4 OR length($4) = 0)
   AND series > $5
 ORDER BY series
 LIMIT $6
