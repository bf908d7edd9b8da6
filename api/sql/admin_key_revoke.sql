-- $1 and $2 id and sha256 of the caller's key; $3 the key's id.
SELECT id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at
FROM vw.admin_revoke_key($1::text, $2::bytea, $3::text)
