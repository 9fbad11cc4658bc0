-- Which of these series the slice has. $1: slice; $2: JSON array of series.
SELECT series
  FROM metric_series
 WHERE slice = $1
   AND series IN (SELECT value FROM json_each($2))
