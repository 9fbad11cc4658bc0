SELECT COUNT(*) FROM api_tokens
