"""The training corpus: songs as stems, rendered from material that anyone can install, in three splits."""
