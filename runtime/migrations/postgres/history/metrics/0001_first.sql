-- Metrics: one set of partitions per slice. A series goes by a number made from all that it is, the
-- same in every slice. Times are milliseconds since the Unix epoch. Ids of other things are their
-- 16 bytes.

CREATE TABLE metric_series (
    slice BIGINT NOT NULL,
    series BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    labels_json TEXT NOT NULL,
    service_id BYTEA NOT NULL,
    instance_id BYTEA NOT NULL,
    unit TEXT NOT NULL,
    bounds_json TEXT NOT NULL,
    PRIMARY KEY (slice, series)
) PARTITION BY LIST (slice);
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
) PARTITION BY LIST (slice);

-- Observations of a histogram within a window; bucket counts from 0 in the order of bounds.
CREATE TABLE metric_buckets (
    slice BIGINT NOT NULL,
    series BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    PRIMARY KEY (slice, series, at_ms, bucket)
) PARTITION BY LIST (slice);

-- When an instance last reported any metric: until then its gauges stand.
CREATE TABLE metric_instances (
    slice BIGINT NOT NULL,
    instance_id BYTEA NOT NULL,
    last_ms BIGINT NOT NULL,
    PRIMARY KEY (slice, instance_id)
) PARTITION BY LIST (slice);
SELECT add_slice_table('metrics', 'metric_series');
SELECT add_slice_table('metrics', 'metric_windows');
SELECT add_slice_table('metrics', 'metric_buckets');
SELECT add_slice_table('metrics', 'metric_instances');
