-- $1: slice; $2: instance; $3: time of its newest point.
INSERT INTO metric_instances (slice, instance_id, last_ms)
VALUES ($1, $2, $3)
    ON CONFLICT (slice, instance_id) DO UPDATE
   SET last_ms = excluded.last_ms
 WHERE excluded.last_ms > metric_instances.last_ms
