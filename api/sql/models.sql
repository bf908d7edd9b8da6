SELECT id, name, types, dimensions, metric FROM vw_models()
