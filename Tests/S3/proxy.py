"""Stands between a client and an S3 server and spoils what passes: refusals, lost answers, truncated and slow bodies, stale
listings, a server that is away. Standard library only."""
import http.client
import http.server
import random
import ssl
import threading
import time

REFUSALS = {400: "RequestTimeout", 429: "TooManyRequests", 500: "InternalError", 502: "BadGateway", 503: "SlowDown",
            504: "GatewayTimeout"}


class Proxy:
    """`faults` gives each kind its share of all requests: refuse (a status), lose, drop, truncate, stall, stale.

    refuse    nothing is done, the answer is 429, 500, 502, 503 or 504
    lose      the request is carried out, the connection closes without an answer
    drop      the connection closes, nothing is carried out
    truncate  the answer is announced whole and ends in the middle
    stall     the answer starts and stops for `stall_seconds`
    stale     a listing is answered as it was before, if it was asked for before
    """

    def __init__(self, upstream, tls=None, seed=None):
        self.upstream = upstream.split("//")[1]
        self.tls = tls
        self.seed = seed if seed is not None else random.randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.faults, self.stall_seconds = {}, 6
        self.canned = None
        self.counts, self.listings, self.requests = {}, {}, 0
        self.lock = threading.Lock()
        self.port, self.server = 0, None

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    def start(self):
        """Starts to answer, at the same port as before."""
        proxy = self

        class Handler(Passage):
            owner = proxy

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        """Is away: nothing listens, what was open is closed."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.hang_up()
            self.server = None

    def choose(self, method, target):
        with self.lock:
            self.requests += 1
            if self.canned:
                return "canned"
            roll = self.random.random()
            for kind, share in self.faults.items():
                if roll < share:
                    if kind == "stale" and (method, target) not in self.listings:
                        return None
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    return kind
                roll -= share
            return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    def __init__(self, *words):
        self.open = set()
        super().__init__(*words)

    def process_request(self, request, address):
        self.open.add(request)
        super().process_request(request, address)

    def close_request(self, request):
        self.open.discard(request)
        super().close_request(request)

    def hang_up(self):
        for one in list(self.open):
            try:
                one.shutdown(2)
            except OSError:
                pass

    def handle_error(self, request, address):
        pass  # A client that hung up.


class Passage(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None
    timeout = 120

    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        owner = self.owner
        kind = owner.choose(self.command, self.path)
        if kind == "canned":
            return self.answer(*owner.canned)
        if kind == "refuse":
            status = owner.random.choice([429, 500, 502, 503, 504])
            text = f"<?xml version='1.0'?><Error><Code>{REFUSALS[status]}</Code><Message>on purpose</Message></Error>"
            return self.answer(status, [("Content-Type", "application/xml")], text.encode())
        if kind == "drop":
            return self.hang_up()
        if kind == "stale":
            return self.answer(*owner.listings[(self.command, self.path)])
        connection = http.client.HTTPConnection(owner.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            headers = [(name, value) for name, value in answer.getheaders()
                       if name.lower() not in ("transfer-encoding", "connection", "content-length")]
            length = answer.getheader("Content-Length")
        except OSError:
            return self.hang_up()
        finally:
            connection.close()
        if "list-type=2" in self.path and answer.status == 200:
            with owner.lock:
                owner.listings[(self.command, self.path)] = (answer.status, headers, content)
        if kind == "lose":
            return self.hang_up()
        self.answer(answer.status, headers, content, kind, length if self.command == "HEAD" else None)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

    def answer(self, status, headers, content, kind=None, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", length if length is not None else str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "truncate" and content:
            self.wfile.write(content[:len(content) // 2])
            return self.hang_up()
        if kind == "stall" and content:
            self.wfile.write(content[:len(content) // 2])
            self.wfile.flush()
            time.sleep(self.owner.stall_seconds)
            content = content[len(content) // 2:]
        self.wfile.write(content)

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(2)
        except OSError:
            pass
