SELECT COUNT(*)
  FROM metric_series
 WHERE slice = $1
   AND instance_id = $2
