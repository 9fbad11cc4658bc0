-- From instance to instance, however many operations each of them has begun.
WITH RECURSIVE found (instance_id) AS (
    SELECT earliest.instance_id
      FROM (SELECT running.instance_id
              FROM running
             WHERE running.slice = $1
               AND running.instance_id > $2
             ORDER BY running.instance_id
             LIMIT 1) AS earliest
    UNION ALL
    SELECT (SELECT running.instance_id
              FROM running
             WHERE running.slice = $1
               AND running.instance_id > found.instance_id
             ORDER BY running.instance_id
             LIMIT 1)
      FROM found
     WHERE found.instance_id IS NOT NULL
)
SELECT instance_id FROM found WHERE instance_id IS NOT NULL LIMIT $3
