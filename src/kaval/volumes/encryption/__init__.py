"""What encrypted volumes of several kinds share: ciphers over sectors, and sources of plain bytes."""
