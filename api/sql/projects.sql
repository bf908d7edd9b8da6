SELECT p.id, p.name, p.created_at FROM vw.project p ORDER BY p.created_at, p.id
