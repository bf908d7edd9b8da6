-- Make the extension of a peer: genuine pgvector under a version of its own.
DO $$
DECLARE
	peer text;
BEGIN
	SELECT max(v.version) INTO peer FROM pg_available_extension_versions v, pg_available_extensions a
		WHERE v.name = 'vector' AND a.name = v.name AND v.version <> a.default_version;
	EXECUTE format('CREATE EXTENSION vector VERSION %L', peer);
END $$;
