-- VectorChord works only where it is preloaded. It runs on pgvector's type, as it does where people use it.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vchord')
		AND current_setting('shared_preload_libraries') ~ '\mvchord\M'
		AND EXISTS (SELECT FROM pg_type t JOIN pg_proc p ON p.oid = t.typinput
			WHERE t.typname = 'vector' AND p.probin !~ '\mvw$') THEN
		SET LOCAL client_min_messages = warning;
		CREATE EXTENSION IF NOT EXISTS vchord;
	END IF;
END $$;
