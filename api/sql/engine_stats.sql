SELECT model, modality, waiting, inputs, failed, batches, tokens, padding, run_micros, wait_micros FROM vw.engine_stats()
