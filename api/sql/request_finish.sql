-- $1 project, $2 idempotency key, $3 holder; $4 status and $5 body, or NULL to give the key up.
SELECT vw.finish_request($1::text, $2::text, $3::bytea, $4::integer, $5::text)
