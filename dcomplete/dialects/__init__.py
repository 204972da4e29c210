"""HTTP in the dialects that other tools speak: bodies in, gaps to the engine process, bodies out."""
