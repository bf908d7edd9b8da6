-- Filters on metadata: a small language over JSON, translated to one jsonpath that an index of the partition serves.
-- docs/filter.md tells users of it. A filter is data from end to end: no part of it ever becomes SQL.

-- The operator @@ of the server does not say that it keeps what it reads to itself, which it does: it raises no error.
-- Said here, a filter may go to an index beneath the policies of a role that is not the owner.
CREATE FUNCTION vw.matches(metadata jsonb, path jsonpath) RETURNS boolean
	AS 'jsonb_path_match_opr' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

COMMENT ON FUNCTION vw.matches IS
	'Whether metadata fits a filter that vw.filter_path has translated.';

CREATE OPERATOR vw.@@ (
	LEFTARG = jsonb, RIGHTARG = jsonpath, FUNCTION = vw.matches, RESTRICT = matchingsel, JOIN = matchingjoinsel
);

-- What jsonb_path_ops does for the server's operator, done for the one above; 16 is its number there.
CREATE OPERATOR CLASS vw.metadata_ops FOR TYPE jsonb USING gin AS
	OPERATOR 16 vw.@@ (jsonb, jsonpath),
	FUNCTION 1 pg_catalog.btint4cmp(integer, integer),
	FUNCTION 2 pg_catalog.gin_extract_jsonb_path(jsonb, internal, internal),
	FUNCTION 3 pg_catalog.gin_extract_jsonb_query_path(jsonb, internal, smallint, internal, internal, internal, internal),
	FUNCTION 4 pg_catalog.gin_consistent_jsonb_path(internal, smallint, jsonb, integer, internal, internal, internal, internal),
	FUNCTION 6 pg_catalog.gin_triconsistent_jsonb_path(internal, smallint, jsonb, integer, internal, internal, internal),
	STORAGE integer;

CREATE FUNCTION vw.refuse_filter(place text, message text, hint text DEFAULT '') RETURNS void
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN vw.refuse(place, place || ': ' || message, hint);

COMMENT ON FUNCTION vw.refuse_filter IS
	'Refuse a filter with the place where it is wrong in front.';

CREATE FUNCTION vw.filter_field(place text, key text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
	names text[] := regexp_split_to_array(key, '(?<!\\)\.');
BEGIN
	IF '' = ANY (names) THEN
		PERFORM vw.refuse_filter(place, format('"%s" names no field; names are joined by single dots', left(key, 100)));
	ELSIF cardinality(names) > 8 THEN
		PERFORM vw.refuse_filter(place, format('the path has %s names; at most 8 are allowed', cardinality(names)));
	END IF;
	RETURN '$' || (SELECT string_agg('.' || to_json(replace(n.name, '\.', '.'))::text, '' ORDER BY n.place)
		FROM unnest(names) WITH ORDINALITY n(name, place));
END $$;

COMMENT ON FUNCTION vw.filter_field IS
	'The path of a field whose names are joined by dots; a backslash before a dot makes it part of a name.';

CREATE FUNCTION vw.filter_compare(place text, operator text, operand jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
	ordered boolean := operator NOT IN ('==');
BEGIN
	IF ordered AND jsonb_typeof(operand) NOT IN ('number', 'string') THEN
		PERFORM vw.refuse_filter(place, 'only numbers and strings have an order');
	ELSIF jsonb_typeof(operand) IN ('object', 'array') THEN
		PERFORM vw.refuse_filter(place, 'a value must be a string, a number, true, false or null');
	END IF;
	RETURN format('@ %s %s', operator, operand);
END $$;

COMMENT ON FUNCTION vw.filter_compare IS
	'One comparison of jsonpath. A scalar of jsonb, written as JSON, is a literal of jsonpath and nothing else.';

CREATE FUNCTION vw.filter_any(place text, operands jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	IF jsonb_typeof(operands) <> 'array' THEN
		PERFORM vw.refuse_filter(place, 'an array of values is needed');
	END IF;
	RETURN coalesce((SELECT string_agg(vw.filter_compare(format('%s[%s]', place, o.n - 1), '==', o.operand), ' || ' ORDER BY o.n)
		FROM jsonb_array_elements(operands) WITH ORDINALITY o(operand, n)), '1 == 0');
END $$;

COMMENT ON FUNCTION vw.filter_any IS
	'The comparison with each of some values; of no values, what never holds.';

-- exists(… ? (…)) has two values only, so that its negation holds for whatever it does not hold for: a field that is
-- missing or of another type included. A field that is an array is compared element by element.
CREATE FUNCTION vw.filter_operator(place text, field text, operator text, operand jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	IF operator = '$exists' AND jsonb_typeof(operand) <> 'boolean' THEN
		PERFORM vw.refuse_filter(place, '$exists takes true or false');
	END IF;
	RETURN CASE operator
		WHEN '$eq' THEN format('exists(%s ? (%s))', field, vw.filter_compare(place, '==', operand))
		WHEN '$ne' THEN format('!exists(%s ? (%s))', field, vw.filter_compare(place, '==', operand))
		WHEN '$gt' THEN format('exists(%s ? (%s))', field, vw.filter_compare(place, '>', operand))
		WHEN '$gte' THEN format('exists(%s ? (%s))', field, vw.filter_compare(place, '>=', operand))
		WHEN '$lt' THEN format('exists(%s ? (%s))', field, vw.filter_compare(place, '<', operand))
		WHEN '$lte' THEN format('exists(%s ? (%s))', field, vw.filter_compare(place, '<=', operand))
		WHEN '$in' THEN format('exists(%s ? (%s))', field, vw.filter_any(place, operand))
		WHEN '$nin' THEN format('!exists(%s ? (%s))', field, vw.filter_any(place, operand))
		WHEN '$exists' THEN CASE WHEN operand::boolean THEN '' ELSE '!' END || format('exists(%s)', field)
		WHEN '$not' THEN format('!(%s)', vw.filter_operators(place, field, operand))
		ELSE vw.filter_unknown(place, operator, '$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $not')
	END;
END $$;

COMMENT ON FUNCTION vw.filter_operator IS
	'What one operator asks of a field.';

CREATE FUNCTION vw.filter_unknown(place text, operator text, known text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	PERFORM vw.refuse_filter(place, format('unknown operator "%s"', left(operator, 100)), format('Operators here: %s.', known));
	RETURN NULL;
END $$;

COMMENT ON FUNCTION vw.filter_unknown IS
	'Refuse a word that begins with $ and is no operator.';

CREATE FUNCTION vw.filter_operators(place text, field text, operators jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
	stray text;
BEGIN
	IF jsonb_typeof(operators) <> 'object' OR operators = '{}' THEN
		PERFORM vw.refuse_filter(place, 'operators are needed, such as {"$lt": 50}');
	END IF;
	SELECT o.key INTO stray FROM jsonb_object_keys(operators) o(key) WHERE NOT starts_with(o.key, '$') LIMIT 1;
	IF stray IS NOT NULL THEN
		PERFORM vw.refuse_filter(format('%s.%s', place, left(stray, 100)), 'an operator is needed here, such as $eq',
			'Fields of fields are named by dots: {"maker.name": "x"}.');
	END IF;
	RETURN (SELECT string_agg(vw.filter_operator(format('%s.%s', place, o.key), field, o.key, o.value), ' && ' ORDER BY o.key)
		FROM jsonb_each(operators) o);
END $$;

COMMENT ON FUNCTION vw.filter_operators IS
	'What an object of operators asks of a field: all of them.';

CREATE FUNCTION vw.filter_group(place text, word text, parts jsonb, depth integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	IF word = '$not' THEN
		RETURN format('!(%s)', vw.filter_object(place, parts, depth));
	ELSIF word NOT IN ('$and', '$or') THEN
		RETURN vw.filter_unknown(place, word, '$and, $or, $not; others belong to a field');
	ELSIF jsonb_typeof(parts) <> 'array' OR parts = '[]' THEN
		PERFORM vw.refuse_filter(place, format('%s takes an array of at least one filter', word));
	END IF;
	RETURN (SELECT string_agg(format('(%s)', vw.filter_object(format('%s[%s]', place, p.n - 1), p.part, depth)),
			CASE word WHEN '$or' THEN ' || ' ELSE ' && ' END ORDER BY p.n)
		FROM jsonb_array_elements(parts) WITH ORDINALITY p(part, n));
END $$;

COMMENT ON FUNCTION vw.filter_group IS
	'Filters that are joined by $and or $or, or one that is turned round by $not.';

CREATE FUNCTION vw.filter_object(place text, filter jsonb, depth integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	IF jsonb_typeof(filter) <> 'object' THEN
		PERFORM vw.refuse_filter(place, 'a filter must be a JSON object');
	ELSIF depth > 8 THEN
		PERFORM vw.refuse_filter(place, 'the filter is nested deeper than 8 levels');
	END IF;
	RETURN coalesce((SELECT string_agg(CASE
				WHEN starts_with(f.key, '$') THEN '(' || vw.filter_group(f.place, f.key, f.value, depth + 1) || ')'
				WHEN jsonb_typeof(f.value) = 'object' THEN
					vw.filter_operators(f.place, vw.filter_field(f.place, f.key), f.value)
				ELSE vw.filter_operator(f.place, vw.filter_field(f.place, f.key), '$eq', f.value)
			END, ' && ' ORDER BY f.key)
		FROM (SELECT o.key, o.value, format('%s.%s', place, left(o.key, 100)) AS place FROM jsonb_each(filter) o) f), '1 == 1');
END $$;

COMMENT ON FUNCTION vw.filter_object IS
	'What a filter asks for, as a predicate of jsonpath: all of its fields and groups.';

CREATE FUNCTION vw.filter_path(filter jsonb) RETURNS jsonpath
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	IF octet_length(filter::text) > 32768 THEN
		PERFORM vw.refuse_filter('filter', 'the filter is larger than 32 KiB');
	ELSIF filter = '{}' OR filter IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN vw.filter_object('filter', filter, 1)::jsonpath;
END $$;

COMMENT ON FUNCTION vw.filter_path IS
	'Translate a filter to jsonpath, or refuse it at the place where it is wrong; NULL asks for nothing.';
