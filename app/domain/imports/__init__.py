"""Bulk imports: files as people really send them."""
