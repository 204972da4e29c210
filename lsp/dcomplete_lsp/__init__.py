"""The language server: a thin front end of dcomplete."""
