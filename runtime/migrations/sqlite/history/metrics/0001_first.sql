-- Metrics: one set of tables per slice. A series goes by a number made from all that it is, the
-- same in every slice. Times are milliseconds since the Unix epoch. Ids of other things are their
-- 16 bytes.

CREATE TABLE metric_series (
    slice BIGINT NOT NULL,
    series BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    name TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    service_id BLOB NOT NULL,
    instance_id BLOB NOT NULL,
    unit TEXT NOT NULL,
    bounds_json TEXT NOT NULL,
    PRIMARY KEY (slice, series)
) WITHOUT ROWID;
CREATE INDEX metric_series_by_name ON metric_series (name);
CREATE INDEX metric_series_by_instance ON metric_series (instance_id);

-- What came for a series within ten seconds; at_ms is their start. total: of a counter the sum of
-- deltas, of a histogram the sum of observations, of a gauge value times milliseconds from first_ms
-- to last_ms. last: a gauge's value at last_ms; 0 for the others.
CREATE TABLE metric_windows (
    slice BIGINT NOT NULL,
    series BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    peak DOUBLE PRECISION NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    last DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (slice, series, at_ms)
) WITHOUT ROWID;

-- Observations of a histogram within a window; bucket counts from 0 in the order of bounds.
CREATE TABLE metric_buckets (
    slice BIGINT NOT NULL,
    series BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    PRIMARY KEY (slice, series, at_ms, bucket)
) WITHOUT ROWID;

-- When an instance last reported any metric: until then its gauges stand.
CREATE TABLE metric_instances (
    slice BIGINT NOT NULL,
    instance_id BLOB NOT NULL,
    last_ms BIGINT NOT NULL,
    PRIMARY KEY (slice, instance_id)
) WITHOUT ROWID;
