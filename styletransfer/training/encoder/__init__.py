"""Training an FXencoder: contents through chains, in shards; contrastive, regressing, or both."""
