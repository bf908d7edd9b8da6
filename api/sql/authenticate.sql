-- $1 the key's id, $2 sha256 of the whole key: the project, or NULL where the key opens nothing.
SELECT vw.authenticate($1::text, $2::bytea) AS project
