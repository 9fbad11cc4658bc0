-- Log lines: one partition per slice. A line's id is its time in milliseconds since the Unix epoch,
-- shifted by 20 bits, and a number that tells lines of one millisecond apart; so ids are the order
-- of time. Level and origin are numbers. Ids of other things are their 16 bytes.

CREATE TABLE logs (
    slice BIGINT NOT NULL,
    id BIGINT NOT NULL,
    level BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    service_id BYTEA NOT NULL,
    instance_id BYTEA NOT NULL,
    trace_id BYTEA,
    op_id BYTEA,
    message TEXT NOT NULL,
    fields_json TEXT NOT NULL,
    words TSVECTOR,
    PRIMARY KEY (slice, id)
) PARTITION BY LIST (slice);

CREATE INDEX logs_by_service ON logs (service_id, id);
CREATE INDEX logs_by_trace ON logs (trace_id, id) WHERE trace_id IS NOT NULL;
CREATE INDEX logs_severe ON logs (id) WHERE level >= 3;
CREATE INDEX logs_by_words ON logs USING GIN (words);

SELECT add_slice_table('logs', 'logs');
