-- $1 project, $2 idempotency key, $3 sha256 of what is asked, $4 holder.
SELECT state, status, body FROM vw.begin_request($1::text, $2::text, $3::bytea, $4::bytea)
