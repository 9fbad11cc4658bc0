-- Bytes of the database file; pages still in the write-ahead log are counted by their final place.
SELECT CAST(page_count * page_size AS BIGINT)
  FROM pragma_page_count(), pragma_page_size()
