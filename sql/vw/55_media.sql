-- Media files, which the REST service keeps in an object store. Here is what makes rows and files agree at any moment:
--
-- A key is in vw.doomed_media unless an item has it. It goes in before the file is stored, due in an hour; the statement
-- that stores the item takes it out; deleting or replacing the item puts it back, due at once. Whoever sweeps claims what
-- is due, deletes those files and then the rows. A claimed key can no longer be taken out, so no item is ever left
-- without its file; and no file without an item outlives its hour, whatever was killed when.

CREATE FUNCTION vw.media_folder(project_id text, collection_id text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN project_id || '/' || collection_id || '/';

COMMENT ON FUNCTION vw.media_folder IS
	'What the keys of a collection''s media begin with.';

-- SECURITY DEFINER, here and below, as the service's role has no right to the table.
CREATE FUNCTION vw.expect_media(project_id text, collection_id text, kinds text[]) RETURNS text[]
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	WITH made AS MATERIALIZED (
		SELECT k.n, CASE WHEN k.kind <> 'text' THEN vw.media_folder(project_id, collection_id) || vw.new_id('med') END AS key
			FROM unnest(kinds) WITH ORDINALITY k(kind, n)
	), stored AS (
		INSERT INTO vw.doomed_media (key, due_at)
			SELECT m.key, clock_timestamp() + interval '1 hour' FROM made m WHERE m.key IS NOT NULL
	)
	SELECT array_agg(m.key ORDER BY m.n) FROM made m;
END;

COMMENT ON FUNCTION vw.expect_media IS
	'New keys for the inputs that are no texts; their files are swept unless items take them within the hour.';

CREATE FUNCTION vw.begin_media(collection text, kinds text[], project text) RETURNS text[]
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	target vw.collection := vw.find_collection(collection, project);
	types text[] := (vw.describe(target)).types;
BEGIN
	FOR n IN 1..cardinality(kinds) LOOP
		IF kinds[n] <> ALL (types) THEN
			PERFORM vw.refuse_kind(format('items[%s].%s', n - 1, kinds[n]), kinds[n], target.model_id, types);
		END IF;
	END LOOP;
	RETURN vw.expect_media(target.project_id, target.id, kinds);
END $$;

COMMENT ON FUNCTION vw.begin_media IS
	'Check that a collection takes these kinds of input, and give the keys under which to store the files among them.';

CREATE FUNCTION vw.keep_media(kept text[], dropped text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found bigint;
BEGIN
	DELETE FROM vw.doomed_media d WHERE d.key = ANY (kept) AND NOT d.claimed;
	GET DIAGNOSTICS found = ROW_COUNT;
	IF found < cardinality(kept) THEN
		PERFORM vw.refuse('', 'the files of these items were swept before the items were stored', 'Send them again.', '57014');
	END IF;
	UPDATE vw.doomed_media d SET due_at = clock_timestamp() WHERE d.key = ANY (dropped);
END $$;

COMMENT ON FUNCTION vw.keep_media IS
	'Take the files of stored items out of what is swept; those of items that failed are due at once.';

CREATE FUNCTION vw.doom_media() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO vw.doomed_media (key) VALUES (OLD.media_key) ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;

CREATE TRIGGER doom_deleted AFTER DELETE ON vw.item
	FOR EACH ROW WHEN (OLD.media_key IS NOT NULL) EXECUTE FUNCTION vw.doom_media();

CREATE TRIGGER doom_replaced AFTER UPDATE OF media_key ON vw.item
	FOR EACH ROW WHEN (OLD.media_key <> NEW.media_key OR OLD.media_key IS NOT NULL AND NEW.media_key IS NULL)
	EXECUTE FUNCTION vw.doom_media();

-- What was claimed and not forgotten, as by a sweeper that was killed, is due again after a while.
CREATE FUNCTION vw.claim_media(most integer) RETURNS SETOF text
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	UPDATE vw.doomed_media d SET claimed = true, due_at = clock_timestamp() + interval '10 minutes'
		WHERE d.key IN (SELECT c.key FROM vw.doomed_media c WHERE c.due_at <= clock_timestamp()
			ORDER BY c.due_at LIMIT most FOR UPDATE SKIP LOCKED)
		RETURNING d.key;
END;

COMMENT ON FUNCTION vw.claim_media IS
	'Keys whose files are to be deleted now; no item can take them any more.';

CREATE FUNCTION vw.forget_media(keys text[]) RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	DELETE FROM vw.doomed_media d WHERE d.key = ANY (keys) AND d.claimed;
END;

COMMENT ON FUNCTION vw.forget_media IS
	'Forget claimed keys, once their files are gone.';

REVOKE EXECUTE ON FUNCTION vw.expect_media, vw.keep_media, vw.doom_media, vw.claim_media, vw.forget_media FROM PUBLIC;
