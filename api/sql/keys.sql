-- $1 project, NULL for all.
SELECT id, project, name, created_at, revoked_at FROM vw.keys($1::text)
