"""Tests of the container and its token."""
