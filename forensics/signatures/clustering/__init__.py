"""Group the keys of unknown failures into families; only `classes` shows them."""
