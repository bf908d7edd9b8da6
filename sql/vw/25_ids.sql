-- Identifiers and small checks that the public functions share.

CREATE FUNCTION vw.new_id(prefix text) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
	digits constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
	millis bigint := floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;
	high uuid := gen_random_uuid();
	random bytea := substring(uuid_send(high) FROM 1 FOR 6) || substring(uuid_send(gen_random_uuid()) FROM 1 FOR 4);
	bits bit varying := (millis::bit(64) << 14)::bit(50) || ('x' || encode(random, 'hex'))::bit(80);
	id text := '';
BEGIN
	FOR place IN 0..25 LOOP
		id := id || substr(digits, substring(bits FROM place * 5 + 1 FOR 5)::bit(5)::integer + 1, 1);
	END LOOP;
	RETURN prefix || '_' || id;
END $$;

COMMENT ON FUNCTION vw.new_id IS
	'A new ULID with a prefix: 48 bits of milliseconds, 80 random bits, in Crockford''s base 32.';

CREATE FUNCTION vw.refuse(param text, message text, hint text DEFAULT '', code text DEFAULT '22023') RETURNS void
	AS 'MODULE_PATHNAME', 'vw_refuse' LANGUAGE C IMMUTABLE;

COMMENT ON FUNCTION vw.refuse IS
	'Raise an error that names the parameter at fault in its COLUMN field.';

CREATE FUNCTION vw.project_id(project text) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	found text;
BEGIN
	IF project IS NULL THEN
		found := 'prj_default';
	ELSE
		SELECT p.id INTO found FROM vw.project p WHERE p.id = project_id.project OR p.name = project_id.project
			ORDER BY p.id = project_id.project DESC LIMIT 1;
	END IF;
	IF found IS NULL THEN
		PERFORM vw.refuse('project', format('project "%s" does not exist', left(project, 100)), '', 'P0002');
	END IF;
	-- What the row-level policies compare with; the function that the user called gives the old value back at its end.
	PERFORM set_config('vw.project', found, true);
	RETURN found;
END $$;

COMMENT ON FUNCTION vw.project_id IS
	'Resolve a project by id or name, and show its rows only from here on; NULL is the project "default".';

CREATE FUNCTION vw.find_collection(collection text, project text) RETURNS vw.collection
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	owner text := vw.project_id(project);
	target vw.collection;
BEGIN
	SELECT c.* INTO target FROM vw.collection c
		WHERE c.project_id = owner AND find_collection.collection IN (c.id, c.name)
		ORDER BY c.id = find_collection.collection DESC LIMIT 1;
	IF NOT FOUND THEN
		PERFORM vw.refuse_missing(collection);
	END IF;
	RETURN target;
END $$;

COMMENT ON FUNCTION vw.find_collection IS
	'Resolve a collection of a project by id or name.';

CREATE FUNCTION vw.refuse_missing(collection text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
	PERFORM vw.refuse('collection', format('collection "%s" does not exist', left(collection, 100)),
		'vw_collections() lists them.', 'P0002');
END $$;

COMMENT ON FUNCTION vw.refuse_missing IS
	'Say that there is no such collection; the same words for a foreign one.';
