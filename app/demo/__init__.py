"""Synthetic demo data: nobody in it exists."""
