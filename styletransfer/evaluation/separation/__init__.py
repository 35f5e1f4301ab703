"""How good are separators? Scores on rendered songs and real recordings, beside baselines and an oracle."""
