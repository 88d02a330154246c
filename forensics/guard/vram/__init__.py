"""Read from a history what was asked of the GPUs' memory, what was free, who held it, and which configuration ever held."""
