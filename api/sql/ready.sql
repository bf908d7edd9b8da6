SELECT count(*) AS models FROM vw_models()
