-- Projects and keys over REST. The service's role has no right to keys of its own: each of these functions takes the key of
-- whoever asks, by id and hash, and does nothing unless it is in force and has the scope admin. SECURITY DEFINER for that.

-- A key as it is listed.
CREATE TYPE vw.key_info AS (
	id text,
	project text,
	name text,
	scopes text[],
	created_at timestamptz,
	last_used_at timestamptz,
	expires_at timestamptz,
	revoked_at timestamptz
);

CREATE FUNCTION vw.demand_admin(caller text, caller_hash bytea) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	IF NOT coalesce('admin' = ANY ((vw.authenticate(caller, caller_hash)).scopes), false) THEN
		PERFORM vw.refuse('', 'this needs a key with the scope admin', '', '42501');
	END IF;
END $$;

COMMENT ON FUNCTION vw.demand_admin IS
	'Refuse whoever has no key of an administrator.';

CREATE FUNCTION vw.admin_projects(caller text, caller_hash bytea) RETURNS TABLE (id text, name text, created_at timestamptz)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	RETURN QUERY SELECT p.id, p.name, p.created_at FROM vw.project p ORDER BY p.created_at, p.id;
END $$;

COMMENT ON FUNCTION vw.admin_projects IS
	'All projects, the oldest first.';

CREATE FUNCTION vw.admin_create_project(caller text, caller_hash bytea, project text,
	OUT id text, OUT name text, OUT created_at timestamptz)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	SELECT p.id, p.name, p.created_at INTO id, name, created_at FROM vw.create_project(project) p;
END $$;

COMMENT ON FUNCTION vw.admin_create_project IS
	'Make a project.';

CREATE FUNCTION vw.admin_keys(caller text, caller_hash bytea, project text) RETURNS SETOF vw.key_info
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	RETURN QUERY SELECT k.* FROM vw.keys(admin_keys.project) k;
END $$;

COMMENT ON FUNCTION vw.admin_keys IS
	'The keys of one project or of all.';

CREATE FUNCTION vw.admin_key(key_id text) RETURNS SETOF vw.key_info
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT k.* FROM vw.keys() k WHERE k.id = key_id;
END;

COMMENT ON FUNCTION vw.admin_key IS
	'One key as it is listed.';

CREATE FUNCTION vw.admin_create_key(caller text, caller_hash bytea, project text, name text, key_id text, hash bytea,
	scopes text[], expires_at timestamptz) RETURNS SETOF vw.key_info
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	PERFORM vw.project_id(project);
	PERFORM vw.create_key(project, name, key_id, hash, scopes, expires_at);
	RETURN QUERY SELECT k.* FROM vw.admin_key(key_id) k;
END $$;

COMMENT ON FUNCTION vw.admin_create_key IS
	'Keep a new key.';

CREATE FUNCTION vw.admin_rotate_key(caller text, caller_hash bytea, key_id text, new_id text, new_hash bytea, grace_seconds integer) RETURNS SETOF vw.key_info
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	PERFORM vw.rotate_key(key_id, new_id, new_hash, make_interval(secs => grace_seconds));
	RETURN QUERY SELECT k.* FROM vw.admin_key(new_id) k;
END $$;

COMMENT ON FUNCTION vw.admin_rotate_key IS
	'Put a new key beside an old one, which ends after a time of grace.';

CREATE FUNCTION vw.admin_revoke_key(caller text, caller_hash bytea, key_id text) RETURNS SETOF vw.key_info
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM vw.demand_admin(caller, caller_hash);
	IF vw.revoke_key(key_id) IS NULL THEN
		PERFORM vw.refuse('key', format('key "%s" does not exist', left(key_id, 100)), '', 'P0002');
	END IF;
	RETURN QUERY SELECT k.* FROM vw.admin_key(key_id) k;
END $$;

COMMENT ON FUNCTION vw.admin_revoke_key IS
	'Revoke a key from now on.';

REVOKE EXECUTE ON FUNCTION vw.demand_admin, vw.admin_projects, vw.admin_create_project, vw.admin_keys, vw.admin_key,
	vw.admin_create_key, vw.admin_rotate_key, vw.admin_revoke_key FROM PUBLIC;
