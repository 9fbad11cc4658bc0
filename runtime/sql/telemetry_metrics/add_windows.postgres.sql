-- The SQLite twin takes JSON, because it has no arrays.
-- Between what is there and what comes, a gauge stood at its last value.
INSERT INTO metric_windows (slice, series, at_ms, total, peak, first_ms, last_ms, last)
SELECT CAST($1 AS BIGINT), row.*
  FROM UNNEST(
         CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS DOUBLE PRECISION[]),
         CAST($5 AS DOUBLE PRECISION[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]),
         CAST($8 AS DOUBLE PRECISION[])
       ) AS row
    ON CONFLICT (slice, series, at_ms) DO UPDATE
   SET total = metric_windows.total + excluded.total
             + CASE WHEN excluded.first_ms > metric_windows.last_ms
                    THEN metric_windows.last * (excluded.first_ms - metric_windows.last_ms)
                    ELSE 0
               END,
       peak = CASE WHEN excluded.peak > metric_windows.peak
                   THEN excluded.peak ELSE metric_windows.peak END,
       first_ms = CASE WHEN excluded.first_ms < metric_windows.first_ms
                       THEN excluded.first_ms ELSE metric_windows.first_ms END,
       last = CASE WHEN excluded.last_ms >= metric_windows.last_ms
                   THEN excluded.last ELSE metric_windows.last END,
       last_ms = CASE WHEN excluded.last_ms >= metric_windows.last_ms
                      THEN excluded.last_ms ELSE metric_windows.last_ms END
