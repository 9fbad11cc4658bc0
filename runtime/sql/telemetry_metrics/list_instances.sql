-- When instances last reported, the latest first. $1: slice; $2: limit.
SELECT instance_id, last_ms
  FROM metric_instances
 WHERE slice = $1
 ORDER BY last_ms DESC
 LIMIT $2
