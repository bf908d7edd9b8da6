-- $1 and $2 id and sha256 of the caller's key.
SELECT id, name, created_at FROM vw.admin_projects($1::text, $2::bytea)
