-- What a collection looks like from inside: its size, its index, and when it was last cleaned up.

CREATE FUNCTION vw.index_stats(index regclass)
	RETURNS TABLE (members bigint, deleted bigint, open_members bigint, lists bigint, longest_list bigint)
	LANGUAGE sql VOLATILE BEGIN ATOMIC
	SELECT s.members, s.deleted, s.open_members, s.lists, s.longest_list FROM vw_index_stats(index) s;
END;

CREATE FUNCTION vw_collection_status(collection text, project text DEFAULT NULL,
	OUT collection_id text, OUT model_id text, OUT model_sha256 text, OUT items bigint, OUT bytes bigint,
	OUT indexed bigint, OUT waiting bigint, OUT deleted bigint, OUT lists bigint, OUT longest_list bigint,
	OUT index_bytes bigint, OUT vacuumed_at timestamptz, OUT analyzed_at timestamptz)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
#variable_conflict use_column
DECLARE
	target vw.collection := vw.find_collection(vw_collection_status.collection, vw_collection_status.project);
	partition regclass := to_regclass(format('vw.%I', vw.partition_of(target.id)));
	index regclass;
BEGIN
	SELECT i.indexrelid INTO index FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		WHERE i.indrelid = partition AND a.amname = 'ivf' AND i.indisvalid;
	collection_id := target.id;
	model_id := target.model_id;
	model_sha256 := target.model_sha256;
	items := target.item_count;
	bytes := pg_total_relation_size(partition);
	SELECT greatest(t.last_vacuum, t.last_autovacuum), greatest(t.last_analyze, t.last_autoanalyze)
		INTO vacuumed_at, analyzed_at FROM pg_stat_all_tables t WHERE t.relid = partition;
	IF index IS NOT NULL THEN
		index_bytes := pg_relation_size(index);
		SELECT s.members, s.open_members, s.deleted, s.lists, s.longest_list
			INTO indexed, waiting, deleted, lists, longest_list FROM vw.index_stats(index) s;
	END IF;
EXCEPTION WHEN undefined_table THEN
	PERFORM vw.refuse_missing(vw_collection_status.collection);
END $$;

COMMENT ON FUNCTION vw_collection_status IS
	'The size of a collection on disk, what its index holds (NULL where searches are exact), and its last maintenance.';
