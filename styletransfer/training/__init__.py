"""How the networks are trained: contents from a corpus, chains over them, the loop, its logs."""
