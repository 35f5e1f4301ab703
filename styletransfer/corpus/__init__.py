"""The training corpus: songs as stems that anyone can render from installable material, split by piece and source."""
