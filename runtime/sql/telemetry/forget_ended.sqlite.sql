-- $1: slice; $2, $3: instances as cut rows of 16 bytes. 1 is PENDING.
DELETE FROM running
 WHERE (slice, instance_id, op_id) IN (
         SELECT begun.slice, begun.instance_id, begun.op_id
           FROM running AS begun
          WHERE begun.slice = $1
            AND begun.instance_id IN (SELECT substr($3, value, 16) FROM json_each($2))
            AND NOT EXISTS (SELECT 1
                              FROM ops
                             WHERE ops.slice = $1
                               AND ops.op_id = begun.op_id
                               AND ops.status = 1)
          LIMIT $4)
