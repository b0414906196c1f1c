"""The messages on the wire: JSON, URLs, requests and answers, and the errors about them."""
