-- What the REST service needs beyond the public functions: keys of projects, and the rights of its role.

CREATE FUNCTION vw.create_key(project text, name text, key_id text, hash bytea) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	IF project IS NULL OR project !~ '\S' OR length(project) > 100 THEN
		PERFORM vw.refuse('project', 'the name of a project has 1 to 100 characters');
	END IF;
	INSERT INTO vw.project (id, name) SELECT vw.new_id('prj'), create_key.project
		WHERE NOT EXISTS (SELECT FROM vw.project p WHERE create_key.project IN (p.id, p.name)) ON CONFLICT DO NOTHING;
	INSERT INTO vw.api_key (id, project_id, name, hash)
		VALUES (key_id, vw.project_id(project), create_key.name, create_key.hash);
END $$;

COMMENT ON FUNCTION vw.create_key IS
	'Keep the hash (SHA-256) of a new key for a project, which is made where it is missing.';

CREATE FUNCTION vw.keys(project text DEFAULT NULL)
	RETURNS TABLE (id text, project text, name text, created_at timestamptz, revoked_at timestamptz)
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT k.id, p.name, k.name, k.created_at, k.revoked_at FROM vw.api_key k JOIN vw.project p ON p.id = k.project_id
		WHERE keys.project IS NULL OR keys.project IN (p.id, p.name) ORDER BY k.created_at, k.id;
END;

COMMENT ON FUNCTION vw.keys IS
	'The keys of one project or of all, the oldest first; nothing that would let anyone in.';

CREATE FUNCTION vw.revoke_key(key_id text) RETURNS boolean
	LANGUAGE sql VOLATILE SET search_path = pg_catalog BEGIN ATOMIC
	UPDATE vw.api_key k SET revoked_at = coalesce(k.revoked_at, clock_timestamp()) WHERE k.id = key_id RETURNING true;
END;

COMMENT ON FUNCTION vw.revoke_key IS
	'Revoke a key from now on; NULL when there is none of that id.';

-- SECURITY DEFINER, so that the service can ask about one key and read none.
CREATE FUNCTION vw.authenticate(key_id text, hash bytea) RETURNS text
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	SELECT k.project_id FROM vw.api_key k
		WHERE k.id = key_id AND k.hash = authenticate.hash AND k.revoked_at IS NULL;
END;

COMMENT ON FUNCTION vw.authenticate IS
	'The project that a key opens, or NULL.';

CREATE FUNCTION vw.grant_service(service regrole) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	partition regclass;
BEGIN
	EXECUTE format('GRANT SELECT ON vw.project TO %s', service);
	EXECUTE format('GRANT SELECT, INSERT ON vw.model TO %s', service);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON vw.collection, vw.item TO %s', service);
	EXECUTE format('GRANT EXECUTE ON FUNCTION vw.authenticate, vw.begin_request, vw.finish_request, vw.sweep_requests TO %s',
		service);
	FOR partition IN SELECT i.inhrelid::regclass FROM pg_inherits i WHERE i.inhparent = 'vw.item'::regclass LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', partition, service);
	END LOOP;
END $$;

COMMENT ON FUNCTION vw.grant_service IS
	'Give a role what the REST service needs: rows of one project at a time, no keys, no tables of its own.';

REVOKE EXECUTE ON FUNCTION vw.create_key, vw.keys, vw.revoke_key, vw.authenticate, vw.grant_service FROM PUBLIC;
