-- What services attached to an operation, with the schemas it was encoded with. $1: slice;
-- $2: operation; $3: direction; $4: limit.
SELECT payloads.service_id, payloads.trace_id, payloads.original_size, payloads.contract_hash,
       payloads.decodable, payloads.content, contract.input_json, contract.output_json
  FROM payloads
  LEFT JOIN payload_contracts AS contract
    ON contract.slice = payloads.slice
   AND contract.contract_hash = payloads.contract_hash
 WHERE payloads.slice = $1
   AND payloads.op_id = $2
   AND payloads.direction = $3
 ORDER BY payloads.service_id
 LIMIT $4
