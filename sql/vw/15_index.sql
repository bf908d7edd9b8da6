-- The access method ivf, and functions that look into its indexes (and into those of ivfflat and hnsw).

CREATE FUNCTION vw.ivfhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'ivfhandler' LANGUAGE C;

COMMENT ON FUNCTION vw.ivfhandler IS
	'Handler of the access method ivf.';

CREATE ACCESS METHOD ivf TYPE INDEX HANDLER vw.ivfhandler;

COMMENT ON ACCESS METHOD ivf IS
	'inverted file that needs no tuning and no rebuild';

CREATE OPERATOR CLASS vector_l2_ops
	DEFAULT FOR TYPE vector USING ivf AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector);

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING ivf AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector);

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING ivf AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 cosine_distance(vector, vector);

CREATE OPERATOR CLASS vector_l1_ops
	FOR TYPE vector USING ivf AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(vector, vector);

CREATE OPERATOR CLASS halfvec_l2_ops
	DEFAULT FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec);

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec);

CREATE OPERATOR CLASS halfvec_cosine_ops
	FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 cosine_distance(halfvec, halfvec);

CREATE OPERATOR CLASS halfvec_l1_ops
	FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(halfvec, halfvec);

CREATE OPERATOR CLASS sparsevec_l2_ops
	DEFAULT FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_l2_squared_distance(sparsevec, sparsevec);

CREATE OPERATOR CLASS sparsevec_ip_ops
	FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_negative_inner_product(sparsevec, sparsevec);

CREATE OPERATOR CLASS sparsevec_cosine_ops
	FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 1 cosine_distance(sparsevec, sparsevec);

CREATE OPERATOR CLASS sparsevec_l1_ops
	FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <+> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(sparsevec, sparsevec);

CREATE OPERATOR CLASS bit_hamming_ops
	DEFAULT FOR TYPE bit USING ivf AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit);

CREATE OPERATOR CLASS bit_jaccard_ops
	FOR TYPE bit USING ivf AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 jaccard_distance(bit, bit);

CREATE FUNCTION vw_index_check(index regclass, heapallindexed boolean DEFAULT false)
	RETURNS TABLE (page bigint, problem text, harmless boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 1;

COMMENT ON FUNCTION vw_index_check IS
	'All that is wrong with an index, nothing if all is well; with heapallindexed, rows that it lacks too. Writers wait.';

CREATE FUNCTION vw_index_stats(index regclass)
	RETURNS TABLE (members bigint, deleted bigint, open_members bigint, lists bigint, longest_list bigint,
		pages bigint, free_pages bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 1;

COMMENT ON FUNCTION vw_index_stats IS
	'What an index holds: rows, places of deleted ones, rows not packed yet, lists, the longest of them, pages of 8 kB.';

CREATE FUNCTION vw_index_recall(index regclass, sample integer DEFAULT 100, k integer DEFAULT 10)
	RETURNS TABLE (recall double precision, queries integer, lists_visited double precision,
		codes_scanned double precision, rows_fetched double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT ROWS 1;

COMMENT ON FUNCTION vw_index_recall IS
	'The share of the k nearest rows that searches find under the settings of this session, measured on random rows.';
