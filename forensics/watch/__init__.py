"""Follow the journal, label failures as `report` does, and send alerts about them."""
