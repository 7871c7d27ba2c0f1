"""What this machine's kernel can do."""
from pathlib import Path

HAS_TLS = "tls" in Path("/proc/sys/net/ipv4/tcp_available_ulp").read_text(encoding="ascii").split()
