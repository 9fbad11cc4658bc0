-- $1: JSON array of scalars; $2: all requests as one blob, cut by offset (from 0) and length.
-- "WHERE true" keeps the parser from reading ON CONFLICT as a join condition.
INSERT INTO registrations (instance_id, service_id, request, updated_at_us)
SELECT row.value ->> 'instance',
       row.value ->> 'service',
       substr($2, (row.value ->> 'offset') + 1, row.value ->> 'length'),
       row.value ->> 'updated_at_us'
  FROM json_each($1) AS row
 WHERE true
    ON CONFLICT (instance_id) DO UPDATE
   SET service_id = excluded.service_id,
       request = excluded.request,
       updated_at_us = excluded.updated_at_us
