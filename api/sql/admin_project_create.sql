-- $1 and $2 id and sha256 of the caller's key; $3 name.
SELECT id, name, created_at FROM vw.admin_create_project($1::text, $2::bytea, $3::text)
