-- $1 and $2 id and sha256 of the caller's key; $3 project, $4 label, $5 id and $6 sha256 of the new key, $7 scopes, $8 when
-- it expires or NULL.
SELECT id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at
FROM vw.admin_create_key($1::text, $2::bytea, $3::text, $4::text, $5::text, $6::bytea, $7::text[], $8::timestamptz)
