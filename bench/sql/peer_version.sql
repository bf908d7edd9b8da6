-- Ours and pgvector's extension have the same name; pgvector's version differs from the one that is installed here.
SELECT max(v.version) FROM pg_available_extension_versions v JOIN pg_extension e ON e.extname = v.name
	WHERE v.name = 'vector' AND v.version <> e.extversion;
