-- $1: slice; $2: texts. A trace appears once per operation.
SELECT trace_id
  FROM ops
 WHERE slice = $1
   AND text_id = ANY (CAST($2 AS BIGINT[]))
 LIMIT $3
