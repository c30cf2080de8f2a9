"""Stand-ins for the accounting systems, for demo, tests and independent clients; production code never imports them."""
