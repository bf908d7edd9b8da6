SELECT vw.autoembed_step()
