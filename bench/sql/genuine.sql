-- Ours and pgvector's extension have the same name; pgvector's versions differ from the one that is installed here.
SELECT EXISTS (SELECT FROM pg_available_extension_versions v JOIN pg_extension e ON e.extname = v.name
	WHERE v.name = 'vector' AND v.version <> e.extversion);
