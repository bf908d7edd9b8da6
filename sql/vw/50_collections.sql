-- Collections: made, listed, described, deleted.

CREATE FUNCTION vw.describe(collection vw.collection) RETURNS vw.collection_info
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT (collection.id, collection.name, collection.description, collection.model_id, m.types, m.dimensions, m.metric,
			collection.item_count, collection.created_at, collection.updated_at)::vw.collection_info
		FROM vw.model m WHERE m.id = collection.model_id AND m.sha256 = collection.model_sha256;
END;

COMMENT ON FUNCTION vw.describe IS
	'What the public functions give of a collection.';

CREATE FUNCTION vw.pinned(collection vw.collection) RETURNS text
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	SELECT collection.model_id || '@' || collection.model_sha256;
END;

COMMENT ON FUNCTION vw.pinned IS
	'The very pack that a collection was made with, as the engine is asked for it: another one of that id is refused.';

CREATE FUNCTION vw.known_model(model text) RETURNS vw.model
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	found vw.model;
	known text;
BEGIN
	-- Without a name: the default model, or the only one.
	SELECT m.id, m.sha256, m.name, m.types, m.dimensions, m.metric INTO found FROM vw.engine_models() m
		WHERE model IS NULL OR model IN (m.id, m.id || '@' || m.sha256)
		ORDER BY m.id <> 'multimodal-embedding-v1', m.id LIMIT 1;
	IF found.id IS NULL THEN
		SELECT string_agg(m.id, ', ' ORDER BY m.id) INTO known FROM vw.engine_models() m;
		PERFORM vw.refuse('model_id', format('unknown model "%s"', left(model, 100)), 'Installed: ' || known || '.', '42704');
	END IF;
	RETURN found;
END $$;

COMMENT ON FUNCTION vw.known_model IS
	'Resolve a model by id, or by id@sha256; NULL is the default model.';

CREATE FUNCTION vw.find_model(model text) RETURNS vw.model
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	found vw.model := vw.known_model(model);
BEGIN
	INSERT INTO vw.model VALUES (found.*) ON CONFLICT DO NOTHING;
	RETURN found;
END $$;

COMMENT ON FUNCTION vw.find_model IS
	'Resolve a model and keep what it is.';

CREATE FUNCTION vw_create_collection(name text, description text DEFAULT NULL, model text DEFAULT NULL,
	project text DEFAULT NULL) RETURNS vw.collection_info
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
DECLARE
	owner text := vw.project_id(project);
	used vw.model;
	made vw.collection;
BEGIN
	IF name IS NULL OR name !~ '\S' THEN
		PERFORM vw.refuse('name', 'a collection needs a name');
	ELSIF length(name) > 100 THEN
		PERFORM vw.refuse('name', format('name has %s characters; at most 100 are allowed', length(name)));
	ELSIF length(description) > 500 THEN
		PERFORM vw.refuse('description', format('description has %s characters; at most 500 are allowed', length(description)));
	END IF;
	used := vw.find_model(model);
	INSERT INTO vw.collection AS c (id, project_id, name, description, model_id, model_sha256)
		VALUES (vw.new_id('col'), owner, vw_create_collection.name, vw_create_collection.description, used.id, used.sha256)
		ON CONFLICT ON CONSTRAINT collection_project_id_name_key DO NOTHING RETURNING c.* INTO made;
	IF made.id IS NULL THEN
		PERFORM vw.refuse('name', format('a collection named "%s" exists already', name), '', '23505');
	END IF;
	RETURN vw.describe(made);
END $$;

COMMENT ON FUNCTION vw_create_collection IS
	'Make a collection: a named set of items that are embedded with one model.';

CREATE FUNCTION vw_collections(project text DEFAULT NULL) RETURNS SETOF vw.collection_info
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET vw.project = '' AS $$
DECLARE
	owner text := vw.project_id(project);
BEGIN
	RETURN QUERY SELECT d.* FROM vw.collection c, vw.describe(c) d WHERE c.project_id = owner ORDER BY c.created_at, c.id;
END $$;

COMMENT ON FUNCTION vw_collections IS
	'The collections of a project, the oldest first.';

CREATE FUNCTION vw_collection(collection text, project text DEFAULT NULL) RETURNS vw.collection_info
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET vw.project = '' AS $$
BEGIN
	RETURN vw.describe(vw.find_collection(collection, project));
END $$;

COMMENT ON FUNCTION vw_collection IS
	'One collection, by id or name.';

CREATE FUNCTION vw_delete_collection(collection text, project text DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
DECLARE
	target vw.collection := vw.find_collection(collection, project);
BEGIN
	DELETE FROM vw.collection c WHERE c.id = target.id;
	IF NOT FOUND THEN
		PERFORM vw.refuse_missing(collection);
	END IF;
	RETURN target.id;
END $$;

COMMENT ON FUNCTION vw_delete_collection IS
	'Delete a collection and its items; gives its id.';
