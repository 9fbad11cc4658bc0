UPDATE api_tokens SET last_used_at_us = $2 WHERE id = $1
