-- Captured payloads: one set of tables per slice. One of each direction per operation and reporting
-- service: nobody can take the place of another service's payload. Ids are their 16 bytes.

CREATE TABLE payloads (
    slice BIGINT NOT NULL,
    op_id BLOB NOT NULL,
    direction BIGINT NOT NULL,
    service_id BLOB NOT NULL,
    instance_id BLOB NOT NULL,
    trace_id BLOB NOT NULL,
    original_size BIGINT NOT NULL,
    contract_hash TEXT NOT NULL,
    decodable BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (slice, op_id, direction, service_id)
);

-- The schemas that payloads of the slice were encoded with, as they were registered; empty for
-- what no service declared.
CREATE TABLE payload_contracts (
    slice BIGINT NOT NULL,
    contract_hash TEXT NOT NULL,
    input_json BLOB NOT NULL,
    output_json BLOB NOT NULL,
    PRIMARY KEY (slice, contract_hash)
);
