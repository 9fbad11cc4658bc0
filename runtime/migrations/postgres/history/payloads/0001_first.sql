-- Captured payloads: one set of partitions per slice. One of each direction per operation and reporting
-- service: nobody can take the place of another service's payload. Ids are their 16 bytes.

CREATE TABLE payloads (
    slice BIGINT NOT NULL,
    op_id BYTEA NOT NULL,
    direction BIGINT NOT NULL,
    service_id BYTEA NOT NULL,
    instance_id BYTEA NOT NULL,
    trace_id BYTEA NOT NULL,
    original_size BIGINT NOT NULL,
    contract_hash TEXT COLLATE "C" NOT NULL,
    decodable BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (slice, op_id, direction, service_id)
) PARTITION BY LIST (slice);

-- The schemas that payloads of the slice were encoded with, as they were registered; empty for
-- what no service declared.
CREATE TABLE payload_contracts (
    slice BIGINT NOT NULL,
    contract_hash TEXT COLLATE "C" NOT NULL,
    input_json BYTEA NOT NULL,
    output_json BYTEA NOT NULL,
    PRIMARY KEY (slice, contract_hash)
) PARTITION BY LIST (slice);
SELECT add_slice_table('payloads', 'payloads');
SELECT add_slice_table('payloads', 'payload_contracts');
