-- $1 project, $2 label, $3 the key's id, $4 sha256 of the whole key.
SELECT vw.create_key($1::text, $2::text, $3::text, $4::bytea)
