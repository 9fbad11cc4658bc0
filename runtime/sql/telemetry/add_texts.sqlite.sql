-- $1: slice; $2, $3: texts as cut rows: at 0 id (20), 20 end of the words (7), 27 words.
INSERT INTO texts (slice, id, words)
SELECT $1,
       CAST(substr($3, value, 20) AS INTEGER),
       CAST(substr($3, value + 27, CAST(substr($3, value + 20, 7) AS INTEGER)) AS TEXT)
  FROM json_each($2)
