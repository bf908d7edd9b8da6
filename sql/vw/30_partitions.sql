-- A collection's row makes and drops the partition that holds its items, and says who may see them.

CREATE FUNCTION vw.partition_of(collection_id text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 'item_' || lower(substr(collection_id, 5));

COMMENT ON FUNCTION vw.partition_of IS
	'The name, in schema vw, of the partition that holds a collection''s items.';

-- SECURITY DEFINER, as only the owner of vw.item can attach to it. It acts on the one row that fired it, and nobody
-- can call it but as a trigger. Searches name the partition itself, so the locks on the parent stop none of them.
CREATE FUNCTION vw.add_partition() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	partition text := vw.partition_of(NEW.id);
	service regrole;
BEGIN
	-- A dump brings its tables along before its rows.
	IF to_regclass(format('vw.%I', partition)) IS NOT NULL THEN
		RETURN NULL;
	END IF;
	-- Without the larger target, MAIN would compress every embedding and searches would unpack them all.
	EXECUTE format('CREATE TABLE vw.%I (LIKE vw.item INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE,
		PRIMARY KEY (id)) WITH (toast_tuple_target = 8160)', partition);
	EXECUTE format('CREATE INDEX ON vw.%I (created_at, id)', partition);
	EXECUTE format('CREATE INDEX ON vw.%I USING gin (metadata vw.metadata_ops)', partition);
	EXECUTE format('ALTER TABLE vw.item ATTACH PARTITION vw.%I FOR VALUES IN (%L)', partition, NEW.id);
	EXECUTE format('ALTER TABLE vw.%I ENABLE ROW LEVEL SECURITY', partition);
	-- A subquery without a reference to the row is evaluated once a query, not once a row. Of a test for NULL the planner
	-- expects that nearly all rows pass, as all do; of a comparison, that few do.
	EXECUTE format('CREATE POLICY project ON vw.%I USING ((SELECT c.id FROM vw.collection c WHERE c.id = %L) IS NOT NULL)',
		partition, NEW.id);
	FOR service IN SELECT vw.services() LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON vw.%I TO %s', partition, service);
	END LOOP;
	RETURN NULL;
END $$;

CREATE FUNCTION vw.embedding_type(dimensions integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format_type(a.atttypid, dimensions) FROM pg_attribute a
		WHERE a.attrelid = 'vw.item'::regclass AND a.attname = 'embedding';
END;

COMMENT ON FUNCTION vw.embedding_type IS
	'The type of embeddings of so many dimensions, with its schema; the column itself takes those of any model.';

-- From about so many items on, searches by the index are the faster ones; a row of the collection is locked by whoever
-- adds items to it, so nobody waits for the index but who waited already. Below one second for the items of one call.
CREATE FUNCTION vw.add_index() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	partition regclass := to_regclass(format('vw.%I', vw.partition_of(NEW.id)));
	target text;
BEGIN
	IF partition IS NULL OR EXISTS (
		SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
			WHERE i.indrelid = partition AND a.amname = 'ivf')
	THEN
		RETURN NULL;
	END IF;
	SELECT format('(embedding::%s) %I.%I', vw.embedding_type(m.dimensions), n.nspname, o.opcname) INTO STRICT target
		FROM vw.model m, pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod JOIN pg_namespace n ON n.oid = o.opcnamespace
		WHERE m.id = NEW.model_id AND m.sha256 = NEW.model_sha256 AND a.amname = 'ivf' AND o.opcname = 'vector_cosine_ops';
	BEGIN
		EXECUTE format('CREATE INDEX ON %s USING ivf (%s)', partition, target);
	EXCEPTION WHEN object_in_use THEN
		NULL; -- The statement that counts the items reads them as well; the next one makes the index.
	END;
	RETURN NULL;
END $$;

CREATE FUNCTION vw.drop_partition() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- Rows that go with their table fire no triggers; the files of all of them are doomed at once.
	INSERT INTO vw.doomed_media (key) VALUES (vw.media_folder(OLD.project_id, OLD.id)) ON CONFLICT DO NOTHING;
	EXECUTE format('DROP TABLE IF EXISTS vw.%I', vw.partition_of(OLD.id));
	RETURN NULL;
END $$;

CREATE FUNCTION vw.services() RETURNS SETOF regrole
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT DISTINCT a.grantee::regrole FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.oid = 'vw.item'::regclass AND a.grantee NOT IN (0, c.relowner) AND a.privilege_type = 'INSERT';
END;

COMMENT ON FUNCTION vw.services IS
	'The roles that vw.grant_service was called for.';

CREATE TRIGGER add_partition AFTER INSERT ON vw.collection
	FOR EACH ROW EXECUTE FUNCTION vw.add_partition();

CREATE TRIGGER add_index AFTER UPDATE OF item_count ON vw.collection
	FOR EACH ROW WHEN (NEW.item_count > OLD.item_count AND NEW.item_count >= 3000) EXECUTE FUNCTION vw.add_index();

CREATE TRIGGER drop_partition AFTER DELETE ON vw.collection
	FOR EACH ROW EXECUTE FUNCTION vw.drop_partition();

REVOKE EXECUTE ON FUNCTION vw.add_partition, vw.add_index, vw.drop_partition FROM PUBLIC;

-- The second fence: whoever is not the owner sees the rows of the project that vw.project_id resolved, and no others.
ALTER TABLE vw.collection ENABLE ROW LEVEL SECURITY;

CREATE POLICY project ON vw.collection
	USING (project_id = current_setting('vw.project', true));

ALTER TABLE vw.item ENABLE ROW LEVEL SECURITY;

CREATE POLICY project ON vw.item
	USING (collection_id IN (SELECT c.id FROM vw.collection c));
