"""Tests of the evidences."""
