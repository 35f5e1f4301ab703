"""How the separator's splitter is trained: remixed stems, a voice stage's errors, the loop."""
