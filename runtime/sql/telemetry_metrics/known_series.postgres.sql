SELECT series
  FROM metric_series
 WHERE slice = $1
   AND series = ANY (CAST($2 AS BIGINT[]))
