"""What an accounting system can do: the shared contract, and one folder per vendor."""
