"""Training the console converter's network: what the closed-form match should have set."""
