-- The access methods, and whether our library serves them: it also serves pgvector's names.
SELECT a.amname::text, p.probin ~ '\mvw$' FROM pg_am a JOIN pg_proc p ON p.oid = a.amhandler
	WHERE a.amtype = 'i' AND p.probin IS NOT NULL;
