-- $1: slice; $2: service, empty for any; $3: limit.
SELECT name, kind, MAX(unit) AS unit, COUNT(*) AS series
  FROM metric_series
 WHERE slice = $1
   AND (service_id = $2 OR length($2) = 0)
 GROUP BY name, kind
 ORDER BY name, kind
 LIMIT $3
