-- Log lines: one set of tables per slice. A line's id is its time in milliseconds since the Unix
-- epoch, shifted by 20 bits, and a number that tells lines of one millisecond apart; so ids are the
-- order of time. Level and origin are numbers. Ids of other things are their 16 bytes.
-- words is for PostgreSQL, which has no table logs_words.

CREATE TABLE logs (
    slice BIGINT NOT NULL,
    id INTEGER NOT NULL PRIMARY KEY,
    level BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    service_id BLOB NOT NULL,
    instance_id BLOB NOT NULL,
    trace_id BLOB,
    op_id BLOB,
    message TEXT NOT NULL,
    fields_json TEXT NOT NULL,
    words TEXT
);

-- Each index ends with the id.
CREATE INDEX logs_by_service ON logs (service_id);
CREATE INDEX logs_by_trace ON logs (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX logs_severe ON logs (id) WHERE level >= 3;

-- Which words a line has, not where: that is all a search asks.
CREATE VIRTUAL TABLE logs_words USING fts5(words, content='', detail=none, tokenize='ascii');
