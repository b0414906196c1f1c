"""What ``oidc doctor`` looks at, one module for each subject; it says only what it established."""
