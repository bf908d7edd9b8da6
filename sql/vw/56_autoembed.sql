-- Columns that keep themselves embedded: the functions for users. What the worker does is in 57_autoembed_worker.sql.

CREATE FUNCTION vw.autoembed_wake() RETURNS void
	AS 'MODULE_PATHNAME', 'vw_autoembed_wake' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION vw.autoembed_wake IS
	'Have a worker look at the queue of this database when the transaction has committed.';

-- It runs as whoever writes to the table. The key is found out anew, since its columns can be renamed; a trigger that
-- fails would keep people from writing.
CREATE FUNCTION vw.autoembed_enqueue() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	row_key jsonb;
	columns text;
BEGIN
	SELECT string_agg(format('($1).%I', c), ', ') INTO columns FROM unnest(TG_ARGV[1:]) c;
	BEGIN
		EXECUTE format('SELECT jsonb_build_array(%s)', columns) INTO STRICT row_key USING NEW;
	EXCEPTION WHEN undefined_column THEN
		RAISE WARNING 'the row will not be embedded: the key of table "%" was %, and is not any more', TG_TABLE_NAME, TG_ARGV[1:]
			USING HINT = 'Call vw_autoembed_drop and vw_autoembed again.';
		RETURN NULL;
	END;
	INSERT INTO vw.autoembed_queue (autoembed_id, key) VALUES (TG_ARGV[0], row_key);
	PERFORM vw.autoembed_wake();
	RETURN NULL;
END $$;

COMMENT ON FUNCTION vw.autoembed_enqueue IS
	'Trigger: queue a row whose source has changed.';

CREATE FUNCTION vw.autoembed_key(relation regclass) RETURNS name[]
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT ARRAY(SELECT a.attname FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, n)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			WHERE k.n <= i.indnkeyatts ORDER BY k.n)
		FROM pg_index i
		WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
			AND NOT EXISTS (
				SELECT FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, n)
					JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
					JOIN pg_type t ON t.oid = a.atttypid
					WHERE k.n <= i.indnkeyatts AND (NOT a.attnotnull OR t.typnamespace <> 'pg_catalog'::regnamespace
						OR t.typtype <> 'b' OR t.typcategory = 'A' OR t.typname = 'jsonb'))
		ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1;
END;

COMMENT ON FUNCTION vw.autoembed_key IS
	'The columns that tell a table''s rows apart: its primary key, or a unique index of columns that are not null.';

CREATE FUNCTION vw.autoembed_check(relation regclass, source name, target name, modality text, model vw.model) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	kind record;
	source_type text := (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attname = source AND a.attnum > 0 AND NOT a.attisdropped);
	goal record;
BEGIN
	SELECT c.relkind, c.relpersistence, c.relispartition INTO kind FROM pg_class c WHERE c.oid = relation;
	SELECT t.typname, a.atttypmod, a.attgenerated INTO goal FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attrelid = relation AND a.attname = target AND a.attnum > 0 AND NOT a.attisdropped;
	IF kind.relkind NOT IN ('r', 'p') OR kind.relpersistence = 't' THEN
		PERFORM vw.refuse('table', format('%s is not a table that a background worker can see', relation),
			'Views, foreign tables and temporary tables cannot be kept embedded.', '42809');
	ELSIF NOT vw.owns(relation) THEN
		PERFORM vw.refuse('table', format('must be owner of table %s', relation), '', '42501');
	ELSIF source_type IS NULL THEN
		PERFORM vw.refuse('source', format('table %s has no column "%s"', relation, source), '', '42703');
	ELSIF goal.typname IS NULL THEN
		PERFORM vw.refuse('target', format('table %s has no column "%s"', relation, target),
			format('ALTER TABLE %s ADD COLUMN %I vector(%s) makes it.', relation, target, model.dimensions), '42703');
	ELSIF goal.typname NOT IN ('vector', 'halfvec') OR goal.attgenerated <> '' THEN
		PERFORM vw.refuse('target', format('column "%s" cannot hold embeddings', target),
			'It must be a plain column of type vector or halfvec.', '42804');
	ELSIF goal.atttypmod NOT IN (-1, model.dimensions) THEN
		PERFORM vw.refuse('target', format('column "%s" has %s dimensions; model "%s" has %s', target, goal.atttypmod, model.id,
			model.dimensions), '', '22000');
	ELSIF modality <> ALL (model.types) THEN
		PERFORM vw.refuse_kind('modality', modality, model.id, model.types);
	ELSIF modality <> 'text' AND source_type <> 'bytea' THEN
		PERFORM vw.refuse('source', format('column "%s" has type %s; a file of modality %s is bytea', source, source_type, modality),
			'', '42804');
	ELSIF vw.autoembed_key(relation) IS NULL THEN
		PERFORM vw.refuse('table', format('table %s has no primary key', relation),
			'A primary key, or a unique index of columns that are NOT NULL, of built-in types, tells which row to embed.', '55000');
	ELSIF target = ANY (vw.autoembed_key(relation)) THEN
		PERFORM vw.refuse('target', format('column "%s" is part of the key', target));
	END IF;
END $$;

COMMENT ON FUNCTION vw.autoembed_check IS
	'Refuse a column that cannot be kept embedded.';

CREATE FUNCTION vw_autoembed("table" regclass, source name, target name, model text DEFAULT NULL,
	modality text DEFAULT 'text', existing text DEFAULT 'all') RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	used vw.model;
	key name[];
	made text := vw.new_id('aut');
	keys text;
	changed text;
	arguments text;
BEGIN
	IF "table" IS NULL OR source IS NULL OR target IS NULL OR modality IS NULL THEN
		PERFORM vw.refuse('', 'table, source, target and modality must not be null');
	ELSIF modality NOT IN ('text', 'image', 'audio') THEN
		PERFORM vw.refuse('modality', format('unknown modality "%s"', modality), 'Use text, image or audio.');
	ELSIF existing IS NULL OR existing NOT IN ('all', 'missing', 'none') THEN
		PERFORM vw.refuse('existing', 'existing must be all, missing or none', 'It says which rows that are there are embedded.');
	END IF;
	used := vw.known_model(model);
	PERFORM vw.autoembed_check("table", source, target, modality, used);
	key := vw.autoembed_key("table");
	INSERT INTO vw.autoembed (id, relation, key, source, target, modality, model, backfill)
		VALUES (made, "table", key, vw_autoembed.source, vw_autoembed.target, vw_autoembed.modality,
			used.id || '@' || used.sha256, existing)
		ON CONFLICT ON CONSTRAINT autoembed_relation_target_key DO NOTHING;
	IF NOT FOUND THEN
		PERFORM vw.refuse('target', format('column "%s" of table %s is kept embedded already', target, "table"),
			'vw_autoembed_drop ends that.', '42710');
	END IF;
	keys := (SELECT string_agg(format('%I', k), ', ') FROM unnest(key) k WHERE k <> source);
	-- As bytes: a collation may call two texts equal that have different embeddings.
	changed := (SELECT string_agg(format(CASE WHEN a.atttypid = 'bytea'::regtype THEN 'OLD.%1$I IS DISTINCT FROM NEW.%1$I'
			ELSE 'OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"' END, a.attname), ' OR ')
		FROM pg_attribute a WHERE a.attrelid = "table" AND a.attname = ANY (source || key));
	arguments := (SELECT string_agg(quote_literal(k), ', ') FROM unnest(made::name || key) k);
	EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s FOR EACH ROW WHEN (NEW.%I IS NOT NULL)
		EXECUTE FUNCTION vw.autoembed_enqueue(%s)', 'vw_' || made || '_insert', "table", source, arguments);
	-- Not of any column, or every update would compare what may be megabytes.
	EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %s ON %s FOR EACH ROW WHEN (%s)
		EXECUTE FUNCTION vw.autoembed_enqueue(%s)', 'vw_' || made || '_update',
		concat_ws(', ', quote_ident(source), keys), "table", changed, arguments);
	PERFORM vw.autoembed_wake();
	RETURN made;
END $$;

COMMENT ON FUNCTION vw_autoembed IS
	'Keep a column of vectors embedded: target has the embedding of source soon after a row is inserted or source is updated. '
	'existing says which rows that are there are embedded as well: all, missing (those without an embedding) or none.';

CREATE FUNCTION vw_autoembed_drop("table" regclass, target name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	ended text := (SELECT a.id FROM vw.autoembed a WHERE a.relation = "table" AND a.target = vw_autoembed_drop.target);
	trigger text;
BEGIN
	IF ended IS NULL THEN
		PERFORM vw.refuse('target', format('column "%s" of table %s is not kept embedded', target, "table"),
			'vw_autoembed_status() lists the columns that are.', '42704');
	END IF;
	-- The triggers first: their lock waits for whoever is writing, who could otherwise wait for us.
	FOREACH trigger IN ARRAY ARRAY['vw_' || ended || '_insert', 'vw_' || ended || '_update'] LOOP
		EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', trigger, "table");
	END LOOP;
	DELETE FROM vw.autoembed a WHERE a.id = ended;
END $$;

COMMENT ON FUNCTION vw_autoembed_drop IS
	'No longer keep a column embedded. Its vectors stay.';

CREATE FUNCTION vw_autoembed_status()
	RETURNS TABLE ("table" regclass, source name, target name, modality text, model text, pending bigint, done bigint,
		failed bigint, oldest timestamptz, queueing boolean, waits_until timestamptz, last_error text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	-- A worker that is missing is started by whoever asks.
	PERFORM vw.autoembed_wake();
	RETURN QUERY SELECT a.relation, a.source, a.target, a.modality, a.model,
		q.pending, a.done, q.failed, q.oldest, a.backfill <> 'none',
		CASE WHEN a.hold_until > clock_timestamp() THEN a.hold_until END, coalesce(a.error, q.error)
		FROM vw.autoembed a, LATERAL (
			SELECT count(*) FILTER (WHERE e.failed_at IS NULL) AS pending, count(e.failed_at) AS failed,
				min(e.queued_at) FILTER (WHERE e.failed_at IS NULL) AS oldest,
				(array_agg(e.error ORDER BY e.failed_at DESC NULLS LAST) FILTER (WHERE e.error IS NOT NULL))[1] AS error
				FROM vw.autoembed_queue e WHERE e.autoembed_id = a.id) q
		ORDER BY a.relation::text, a.target;
END $$;

COMMENT ON FUNCTION vw_autoembed_status IS
	'The columns that are kept embedded: rows that wait, were embedded, and failed; since when the oldest one waits; whether '
	'rows that were there before are still being queued; and until when work on it pauses after an error that is not a row''s.';

CREATE FUNCTION vw_autoembed_failed("table" regclass DEFAULT NULL, target name DEFAULT NULL)
	RETURNS TABLE ("table" regclass, target name, key jsonb, attempts integer, failed_at timestamptz, error_code text,
		error text)
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT a.relation, a.target, q.key, q.attempts, q.failed_at, q.error_code, q.error
		FROM vw.autoembed a JOIN vw.autoembed_queue q ON q.autoembed_id = a.id AND q.failed_at IS NOT NULL
		WHERE (vw_autoembed_failed."table" IS NULL OR a.relation = vw_autoembed_failed."table")
			AND (vw_autoembed_failed.target IS NULL OR a.target = vw_autoembed_failed.target)
		ORDER BY q.failed_at, q.key;
END;

COMMENT ON FUNCTION vw_autoembed_failed IS
	'The rows that could not be embedded, by their keys, and why.';

CREATE FUNCTION vw_autoembed_retry("table" regclass DEFAULT NULL, target name DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	again bigint;
BEGIN
	UPDATE vw.autoembed_queue q SET failed_at = NULL, attempts = 0, due = clock_timestamp() FROM vw.autoembed a
		WHERE a.id = q.autoembed_id AND q.failed_at IS NOT NULL
			AND (vw_autoembed_retry."table" IS NULL OR a.relation = vw_autoembed_retry."table")
			AND (vw_autoembed_retry.target IS NULL OR a.target = vw_autoembed_retry.target);
	GET DIAGNOSTICS again = ROW_COUNT;
	UPDATE vw.autoembed a SET hold_until = '-infinity', holds = 0
		WHERE a.hold_until > clock_timestamp()
			AND (vw_autoembed_retry."table" IS NULL OR a.relation = vw_autoembed_retry."table")
			AND (vw_autoembed_retry.target IS NULL OR a.target = vw_autoembed_retry.target);
	PERFORM vw.autoembed_wake();
	RETURN again;
END $$;

COMMENT ON FUNCTION vw_autoembed_retry IS
	'Try rows that failed again, of one column or of all, and end a pause; gives how many rows.';
