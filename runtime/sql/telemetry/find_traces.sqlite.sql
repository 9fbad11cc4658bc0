-- $1: slice; $2: JSON array of texts. A trace appears once per operation.
SELECT trace_id
  FROM ops
 WHERE slice = $1
   AND text_id IN (SELECT value FROM json_each($2))
 LIMIT $3
