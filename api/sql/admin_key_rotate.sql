-- $1 and $2 id and sha256 of the caller's key; $3 the old key's id, $4 id and $5 sha256 of the new one; $6 seconds for which
-- the old one stays in force.
SELECT id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at
FROM vw.admin_rotate_key($1::text, $2::bytea, $3::text, $4::text, $5::bytea, $6::integer)
