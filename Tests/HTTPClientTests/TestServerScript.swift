/// An HTTP/1.1 server with every bad habit the client has to survive, and a proxy, on loopback ports of their own.
///
/// It ends when its standard input does, so that it never outlives the tests.
let testServerScript = #"""
    import gzip, http.server, json, os, socket, socketserver, ssl, sys, threading, time, urllib.parse

    folder = sys.argv[1]
    lock = threading.Lock()
    counts = {"connections": 0, "open": 0, "streamed": 0}
    hits = {}
    proxied = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            with lock:
                counts["connections"] += 1
                counts["open"] += 1
                self.number = counts["connections"]
            self.requests = 0

        def finish(self):
            try:
                super().finish()
            finally:
                with lock:
                    counts["open"] -= 1

        def log_message(self, *words): pass

        def answer(self, body, status=200, headers=()):
            self.send_response(status)
            for name, value in headers: self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def chunk(self, bytes):
            self.wfile.write(b"%x\r\n" % len(bytes) + bytes + b"\r\n")
            self.wfile.flush()

        def begin_chunks(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

        def serve(self):
            self.requests += 1
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            number = int(query.get("n", "0"))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = query.get("key", "")
            with lock: hits[key] = hits.get(key, 0) + 1
            path = parts.path
            if path.endswith("/echo"):
                peer = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
                self.answer(json.dumps({
                    "method": self.command, "path": self.path, "body": body.decode("utf-8", "replace")[:1000],
                    "length": len(body), "headers": [[n.lower(), v] for n, v in self.headers.items()],
                    "connection": self.number, "client": str(peer.get("subject", "")) if peer else "",
                    "sni": getattr(self.connection, "asked_name", None)}).encode())
            elif path == "/counts":
                with lock: self.answer(json.dumps({**counts, "hits": hits.get(key, 0), "proxied": proxied}).encode())
            elif path == "/big": self.answer(b"x" * number)
            elif path == "/chunked":
                self.begin_chunks()
                for index in range(number): self.chunk(b"%06d\n" % index)
                self.chunk(b"")
            elif path == "/gzip": self.answer(gzip.compress(b"\0" * number), headers=[("Content-Encoding", "gzip")])
            elif path == "/hang": time.sleep(60)
            elif path == "/stall":
                self.begin_chunks()
                self.chunk(b"first")
                time.sleep(60)
            elif path == "/trickle":
                self.begin_chunks()
                for index in range(number):
                    self.chunk(b".")
                    time.sleep(0.05)
                self.chunk(b"")
            elif path == "/short":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"only this")
                self.close_connection = True
            elif path == "/vanish":
                self.close_connection = True
            elif path == "/vanish-when-reused":
                if self.requests > 1: self.close_connection = True
                else: self.answer(b"here")
            elif path == "/endless":
                self.begin_chunks()
                piece = b"y" * 65536
                while True:
                    self.chunk(piece)
                    with lock: counts["streamed"] += len(piece)
            elif path == "/headers":
                self.answer(b"", headers=[("Warning", "299 - \"one\""), ("warning", "299 - \"two\""), ("X-Empty", "")])
            elif path == "/many-headers":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while True: self.wfile.write(b"X-More: " + b"z" * 8000 + b"\r\n")
            elif path == "/busy": self.answer(b"slow down", status=429, headers=[("Retry-After", "7")])
            elif path == "/elsewhere": self.answer(b"", status=302, headers=[("Location", "http://127.0.0.1:1/")])
            elif path == "/rubbish":
                self.wfile.write(b"\0\1\2 no http at all\r\n\r\n")
                self.close_connection = True
            else: self.answer(b"no such path", status=404)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True
        request_queue_size = 128
        context = None

        def handle_error(self, request, address): pass

        def finish_request(self, request, address):
            if self.context is None: return super().finish_request(request, address)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
            try:
                super().finish_request(request, address)
            finally:
                request.close()

    def serve(context=None):
        server = Server(("127.0.0.1", 0), Handler)
        server.context = context
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    def remember(connection, name, context): connection.asked_name = name

    def tls(certificate, wants_client=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{certificate}.crt", f"{folder}/{certificate}.key")
        context.sni_callback = remember
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(f"{folder}/authority.crt")
        return context

    def pump(source, target):
        try:
            while True:
                bytes = source.recv(65536)
                if not bytes: break
                target.sendall(bytes)
        except OSError: pass
        for end in (source, target):
            try: end.shutdown(socket.SHUT_RDWR)
            except OSError: pass

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self):
            line = self.rfile.readline().decode().split(" ")
            secret = ""
            while True:
                header = self.rfile.readline()
                if header.lower().startswith(b"proxy-authorization:"): secret = header.decode().strip()
                if header in (b"\r\n", b""): break
            with lock: proxied.append([line[0], line[1], secret])
            host, _, port = line[1].rpartition(":")
            if line[0] != "CONNECT" or host == "refused.test":
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            other = socket.create_connection(("127.0.0.1", int(port)))
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(other, self.connection), daemon=True).start()
            pump(self.connection, other)

    class ProxyServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        def handle_error(self, request, address): pass

    proxy = ProxyServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    older = tls("server", wants_client=True)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    ports = [
        serve(), serve(tls("server")), serve(tls("server", wants_client=True)), serve(older), serve(tls("named")),
        serve(tls("stranger")), proxy.server_address[1]]
    print(*ports, flush=True)
    sys.stdin.read()
    os._exit(0)
    """#
