-- An index of access method $1 by operator class $2, with options named $3 of values $4.
SELECT format('CREATE INDEX ann_index ON ann USING %I (embedding %I)', $1::text, $2::text)
	|| coalesce(' WITH (' || string_agg(format('%I = %L', o.name, o.value), ', ') || ')', '')
	FROM unnest($3::text[], $4::text[]) o (name, value);
