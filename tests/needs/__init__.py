"""Tests that show exactly what a line of docs/explanation/needs.md promises."""
