-- $1 name.
SELECT id, name, created_at FROM vw.create_project($1::text)
