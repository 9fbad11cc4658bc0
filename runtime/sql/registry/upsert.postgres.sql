-- The SQLite twin takes JSON and a blob, because it has no arrays.
INSERT INTO registrations (instance_id, service_id, request, updated_at_us)
SELECT *
  FROM UNNEST(CAST($1 AS TEXT[]), CAST($2 AS TEXT[]), CAST($3 AS BYTEA[]), CAST($4 AS BIGINT[]))
    ON CONFLICT (instance_id) DO UPDATE
   SET service_id = excluded.service_id,
       request = excluded.request,
       updated_at_us = excluded.updated_at_us
