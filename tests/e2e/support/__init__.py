"""What the end-to-end tests share: the program under test, peers, and raw SOCKS messages."""
