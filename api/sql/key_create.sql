-- $1 project, $2 label, $3 the key's id, $4 sha256 of the whole key, $5 scopes, $6 seconds until it expires or NULL.
SELECT vw.create_key($1::text, $2::text, $3::text, $4::bytea, $5::text[],
	clock_timestamp() + make_interval(secs => $6::integer))
