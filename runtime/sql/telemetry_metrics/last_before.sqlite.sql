-- What gauges stood at when a window began. $1: slice; $2: JSON array of series; $3: the window.
-- CROSS JOIN: SQLite keeps that order, one look per series.
SELECT found.series, found.last
  FROM json_each($2) AS wanted
 CROSS JOIN metric_windows AS found
 WHERE found.slice = $1
   AND found.series = wanted.value
   AND found.at_ms = (SELECT MAX(earlier.at_ms)
                        FROM metric_windows AS earlier
                       WHERE earlier.slice = $1
                         AND earlier.series = wanted.value
                         AND earlier.at_ms < $3)
