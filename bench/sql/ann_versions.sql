-- Whether the type is of our library, and the extensions that matter here.
SELECT EXISTS (SELECT FROM pg_type t JOIN pg_proc p ON p.oid = t.typinput WHERE t.typname = 'vector' AND p.probin ~ '\mvw$'),
	coalesce((SELECT string_agg(extname || ' ' || extversion, ', ' ORDER BY extname) FROM pg_extension
		WHERE extname IN ('vector', 'vw', 'vchord')), 'no extension');
