INSERT INTO payload_contracts (slice, contract_hash, input_json, output_json)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (slice, contract_hash) DO NOTHING
