-- $1 work, $2 request, $3 now, $4 end of the lease, $5 end of the row, $6 bytes, $7 owner. Takes work
-- that nobody asked for, whose time is over, or whose holder let its lease end, if the same is asked.
INSERT INTO outcomes (digest, request, epoch, lease_until_us, body, bytes, expires_at_us, owner)
VALUES ($1, $2, $3, $4, NULL, $6, $5, $7)
    ON CONFLICT (digest) DO UPDATE
   SET request = excluded.request,
       epoch = CASE WHEN outcomes.epoch >= excluded.epoch THEN outcomes.epoch + 1
                    ELSE excluded.epoch END,
       lease_until_us = excluded.lease_until_us,
       body = NULL,
       bytes = excluded.bytes,
       expires_at_us = excluded.expires_at_us,
       owner = excluded.owner
 WHERE outcomes.expires_at_us <= $3
    OR (outcomes.lease_until_us <= $3 AND outcomes.request = excluded.request)
RETURNING epoch
