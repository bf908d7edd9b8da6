-- $1 and $2 id and sha256 of the caller's key; $3 project, NULL for all.
SELECT id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at
FROM vw.admin_keys($1::text, $2::bytea, $3::text)
