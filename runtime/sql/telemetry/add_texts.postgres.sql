-- The id follows from the words, so a text that is there already is the same one.
INSERT INTO texts (slice, id, words)
SELECT $1, row.*
  FROM UNNEST(CAST($2 AS BIGINT[]), CAST($3 AS TEXT[])) AS row
    ON CONFLICT (slice, id) DO NOTHING
