SELECT id, name, types, dimensions, metric, split_part(pinned, '@', 2) AS sha256 FROM vw_models()
