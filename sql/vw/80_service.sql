-- What the REST service needs beyond the public functions: keys of projects, and the rights of its role.

CREATE FUNCTION vw.create_project(project text, OUT id text, OUT name text, OUT created_at timestamptz)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
BEGIN
	IF project IS NULL OR project !~ '\S' OR length(project) > 100 THEN
		PERFORM vw.refuse('name', 'the name of a project has 1 to 100 characters');
	END IF;
	INSERT INTO vw.project AS p (id, name) VALUES (vw.new_id('prj'), create_project.project)
		ON CONFLICT DO NOTHING RETURNING p.id, p.name, p.created_at INTO id, name, created_at;
	IF id IS NULL THEN
		PERFORM vw.refuse('name', format('a project named "%s" exists already', project), '', '23505');
	END IF;
END $$;

COMMENT ON FUNCTION vw.create_project IS
	'Make a project: collections and keys of their own.';

CREATE FUNCTION vw.create_key(project text, name text, key_id text, hash bytea, scopes text[] DEFAULT '{read,write}',
	expires_at timestamptz DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
BEGIN
	IF scopes IS NULL OR scopes = '{}' OR NOT scopes <@ '{read,write,admin}' THEN
		PERFORM vw.refuse('scopes', 'the scopes of a key are one or more of read, write and admin');
	ELSIF expires_at <= clock_timestamp() THEN
		PERFORM vw.refuse('expires_at', 'expires_at has passed already');
	ELSIF length(name) > 100 THEN
		PERFORM vw.refuse('name', 'the name of a key has at most 100 characters');
	END IF;
	IF NOT EXISTS (SELECT FROM vw.project p WHERE project IN (p.id, p.name)) THEN
		PERFORM vw.create_project(project);
	END IF;
	INSERT INTO vw.api_key (id, project_id, name, hash, scopes, expires_at)
		VALUES (key_id, vw.project_id(project), create_key.name, create_key.hash,
			ARRAY(SELECT DISTINCT s FROM unnest(create_key.scopes) s ORDER BY s), create_key.expires_at);
END $$;

COMMENT ON FUNCTION vw.create_key IS
	'Keep the hash (SHA-256) of a new key for a project, which is made where it is missing.';

CREATE FUNCTION vw.keys(project text DEFAULT NULL)
	RETURNS TABLE (id text, project text, name text, scopes text[], created_at timestamptz, last_used_at timestamptz,
		expires_at timestamptz, revoked_at timestamptz)
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT k.id, p.name, k.name, k.scopes, k.created_at, k.last_used_at, k.expires_at, k.revoked_at
		FROM vw.api_key k JOIN vw.project p ON p.id = k.project_id
		WHERE keys.project IS NULL OR keys.project IN (p.id, p.name) ORDER BY k.created_at, k.id;
END;

COMMENT ON FUNCTION vw.keys IS
	'The keys of one project or of all, the oldest first; nothing that would let anyone in.';

CREATE FUNCTION vw.in_force(key vw.api_key) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > clock_timestamp());
END;

COMMENT ON FUNCTION vw.in_force IS
	'Whether a key is neither revoked nor expired.';

CREATE FUNCTION vw.rotate_key(key_id text, new_id text, new_hash bytea, grace interval) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	old vw.api_key;
BEGIN
	SELECT k.* INTO old FROM vw.api_key k WHERE k.id = key_id FOR UPDATE;
	IF old.id IS NULL OR NOT vw.in_force(old) THEN
		PERFORM vw.refuse('key', format('there is no key "%s" in force', left(key_id, 100)), '', 'P0002');
	END IF;
	INSERT INTO vw.api_key (id, project_id, name, hash, scopes, expires_at)
		VALUES (new_id, old.project_id, old.name, new_hash, old.scopes, old.expires_at);
	UPDATE vw.api_key k SET expires_at = least(k.expires_at, clock_timestamp() + grace) WHERE k.id = key_id;
END $$;

COMMENT ON FUNCTION vw.rotate_key IS
	'Put a new key beside an old one, with the same rights; the old one ends after a time of grace.';

CREATE FUNCTION vw.revoke_key(key_id text) RETURNS boolean
	LANGUAGE sql VOLATILE SET search_path = pg_catalog BEGIN ATOMIC
	UPDATE vw.api_key k SET revoked_at = coalesce(k.revoked_at, clock_timestamp()) WHERE k.id = key_id RETURNING true;
END;

COMMENT ON FUNCTION vw.revoke_key IS
	'Revoke a key from now on; NULL when there is none of that id.';

-- SECURITY DEFINER, so that the service can ask about one key and read none. What is compared is salted anew each time,
-- so that how long it takes tells nothing of the hash. When a key was used is written once a minute, and by one of many.
CREATE FUNCTION vw.authenticate(key_id text, hash bytea, OUT project text, OUT scopes text[])
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known vw.api_key;
	salt bytea := uuid_send(gen_random_uuid());
BEGIN
	SELECT k.* INTO known FROM vw.api_key k WHERE k.id = key_id;
	IF sha256(salt || known.hash) IS DISTINCT FROM sha256(salt || authenticate.hash) OR NOT vw.in_force(known) THEN
		RETURN;
	END IF;
	project := known.project_id;
	scopes := known.scopes;
	IF coalesce(known.last_used_at < clock_timestamp() - interval '1 minute', true) AND NOT pg_is_in_recovery() THEN
		UPDATE vw.api_key k SET last_used_at = clock_timestamp()
			WHERE k.id = (SELECT l.id FROM vw.api_key l WHERE l.id = key_id AND l.last_used_at IS NOT DISTINCT FROM known.last_used_at
				FOR NO KEY UPDATE SKIP LOCKED);
	END IF;
END $$;

COMMENT ON FUNCTION vw.authenticate IS
	'The project that a key opens and what it may do there, or NULL.';

CREATE FUNCTION vw.grant_service(service regrole) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	partition regclass;
BEGIN
	EXECUTE format('GRANT SELECT ON vw.project TO %s', service);
	EXECUTE format('GRANT SELECT, INSERT ON vw.model TO %s', service);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON vw.collection, vw.item TO %s', service);
	EXECUTE format('GRANT EXECUTE ON FUNCTION vw.authenticate, vw.begin_request, vw.finish_request, vw.sweep_requests,
		vw.admin_projects, vw.admin_create_project, vw.admin_keys, vw.admin_create_key, vw.admin_rotate_key,
		vw.admin_revoke_key, vw.expect_media, vw.keep_media, vw.claim_media, vw.forget_media TO %s', service);
	FOR partition IN SELECT i.inhrelid::regclass FROM pg_inherits i WHERE i.inhparent = 'vw.item'::regclass LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', partition, service);
	END LOOP;
END $$;

COMMENT ON FUNCTION vw.grant_service IS
	'Give a role what the REST service needs: rows of one project at a time, no keys, no tables of its own.';

REVOKE EXECUTE ON FUNCTION vw.create_project, vw.create_key, vw.keys, vw.rotate_key, vw.revoke_key, vw.authenticate,
	vw.grant_service FROM PUBLIC;
