-- $1: slice; $2: JSON array of [series, at, total, peak, first, last time, last value].
-- Between what is there and what comes, a gauge stood at its last value.
INSERT INTO metric_windows (slice, series, at_ms, total, peak, first_ms, last_ms, last)
SELECT $1, row.value ->> 0, row.value ->> 1, row.value ->> 2, row.value ->> 3, row.value ->> 4,
       row.value ->> 5, row.value ->> 6
  FROM json_each($2) AS row
 WHERE true
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
