SELECT vw.sweep_requests() AS swept
