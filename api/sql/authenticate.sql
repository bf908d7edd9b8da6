-- $1 the key's id, $2 sha256 of the whole key: project and scopes, NULL where the key opens nothing.
SELECT project, scopes FROM vw.authenticate($1::text, $2::bytea)
