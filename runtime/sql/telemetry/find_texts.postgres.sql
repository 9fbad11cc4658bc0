-- $1: slice; $2: what a tsvector matches.
SELECT id
  FROM texts
 WHERE slice = $1
   AND array_to_tsvector(string_to_array(words, ' ')) @@ CAST($2 AS tsquery)
 LIMIT $3
