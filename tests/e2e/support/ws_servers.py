"""The WebSocket servers of the end-to-end tests: one program with a service for each kind."""

SERVERS = {
    "socks5+ws": "socks5+ws://127.0.0.1:0?udp=true&bind=true",
    "socks4+ws": "socks4+ws://127.0.0.1:0",
    "auto+ws": "auto+ws://127.0.0.1:0",
    "ws": "ws://127.0.0.1:0",
    "password": "socks5+ws://user:pass@127.0.0.1:0",
    "path": "socks5+ws://127.0.0.1:0?path=/tunnel",
    "compressing": "socks5+ws://127.0.0.1:0?enableCompression=true",
    "socks5+wss": "socks5+wss://127.0.0.1:0",
    "socks4+wss": "socks4+wss://127.0.0.1:0",
    "wss": "wss://127.0.0.1:0",
    "socks5+mws": "socks5+mws://127.0.0.1:0",
    "socks5+mwss": "socks5+mwss://127.0.0.1:0",
    "hasty": "socks5+ws://127.0.0.1:0?handshakeTimeout=1s",
    "hasty wss": "socks5+wss://127.0.0.1:0?handshakeTimeout=300ms",
    "pinging": "socks5+ws://127.0.0.1:0?keepalive=true&ttl=300ms",
    "trusting": "socks5+ws://127.0.0.1:0?trustedProxies=127.0.0.1",
    "suspicious": "socks5+ws://127.0.0.1:0?trustedProxies=192.0.2.0/24",
}


class Program:
    """One program for all of `urls`; `[name]` is an address."""

    def __init__(self, start, urls):
        self.program = start(*[word for url in urls.values() for word in ("-L", url)], services=len(urls))
        self.addresses = dict(zip(urls, self.program.listening))

    def __getitem__(self, name):
        return self.addresses[name]
