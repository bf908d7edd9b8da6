-- $1 project, NULL for all.
SELECT id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at FROM vw.keys($1::text)
