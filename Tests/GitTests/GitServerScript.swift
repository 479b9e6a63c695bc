/// A Git server over HTTP and TLS that can be told to misbehave.
///
/// It ends when its standard input does and takes its folder with it, so that nothing outlives the tests.
let gitServerScript = #"""
    import base64, http.server, os, shutil, socket, socketserver, ssl, subprocess, sys, threading, time

    folder = sys.argv[1]

    def line(text):
        data = text if isinstance(text, bytes) else text.encode()
        return b"%04x" % (len(data) + 4) + data

    def pack_head(count, kind=3, size=1 << 40):
        """The head of a pack of many objects, and of a first one that is huge."""
        head = b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")
        first, size = size & 15, size >> 4
        bytes = [kind << 4 | first | (128 if size else 0)]
        while size:
            bytes.append(size & 127 | (128 if size > 127 else 0))
            size >>= 7
        return head + bytes_of(bytes)

    bytes_of = bytes
    one = "1" * 40
    # A block of deflate that is stored as it is, and not the last one.
    block = b"\0" + (65535).to_bytes(2, "little") + (0).to_bytes(2, "little") + b"y" * 65535
    advertisement = line("# service=git-upload-pack\n") + b"0000" + line(
        one + " HEAD\0ofs-delta agent=test\n") + line(one + " refs/heads/main\n") + b"0000"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words): pass

        def read_file(self, name):
            try:
                with open(f"{folder}/{self.path.split('/')[1]}/{name}") as file: return file.read().strip()
            except OSError:
                return ""

        def answer(self, status, body=b"", headers=()):
            self.send_response(status)
            for name, value in headers: self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def service(self): return "git-receive-pack" if "git-receive-pack" in self.path else "git-upload-pack"

        def begin_chunks(self, kind):
            self.send_response(200)
            self.send_header("Content-Type", f"application/x-{self.service()}-{kind}")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

        def chunk(self, bytes):
            self.wfile.write(b"%x\r\n" % len(bytes) + bytes + b"\r\n")
            self.wfile.flush()

        def request_body(self):
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0: return body

        def serve(self):
            body = self.request_body()
            token = self.read_file("token")
            if token:
                words = self.headers.get("Authorization", "").split(" ", 1)
                given = base64.b64decode(words[1]).decode() if words[0] == "Basic" else ""
                # A token alone goes with any user name, `name:password` with that one only.
                if (given if ":" in token else given.partition(":")[2]) != token:
                    return self.answer(401, b"who are you?", [("WWW-Authenticate", 'Basic realm="git"')])
            mode = self.read_file("mode")
            is_pack = self.command == "POST"
            # `pack-` modes advertise as they should and misbehave when the pack is asked for.
            if mode.startswith("pack-") and not is_pack:
                return self.answer(200, advertisement, [
                    ("Content-Type", "application/x-git-upload-pack-advertisement")])
            # `post-` modes serve as they should until something is sent.
            if mode.startswith("post-"):
                return self.misbehave(mode.removeprefix("post-"), "result") if is_pack else self.serve_git(body)
            if mode: return self.misbehave(mode.removeprefix("pack-"), "result" if is_pack else "advertisement")
            self.serve_git(body)

        def misbehave(self, mode, kind):
            if mode.isdigit(): self.answer(int(mode), b"no")
            elif mode == "hang": time.sleep(60)
            elif mode == "stall":
                self.begin_chunks(kind)
                self.chunk(line("# service=git-upload-pack\n") if kind == "advertisement" else line("NAK\n"))
                time.sleep(60)
            elif mode == "trickle":
                self.begin_chunks(kind)
                if kind == "result": self.chunk(line("NAK\n") + pack_head(1) + b"\x78\x01")
                else: self.chunk(line("# service=git-upload-pack\n") + b"0000")
                while True:
                    for byte in block if kind == "result" else line(one + " refs/heads/trickle\n"):
                        self.chunk(bytes_of([byte]))
                        time.sleep(0.05)
            elif mode == "close": self.close_connection = True
            elif mode == "short":
                self.send_response(200)
                self.send_header("Content-Type", f"application/x-{self.service()}-{kind}")
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(advertisement[:80] if kind == "advertisement" else line("NAK\n") + pack_head(1))
                self.close_connection = True
            elif mode == "page": self.answer(200, b"<html>Sign in</html>", [("Content-Type", "text/html")])
            elif mode == "empty":
                self.answer(200, b"", [("Content-Type", f"application/x-{self.service()}-{kind}")])
            elif mode == "rubbish":
                self.answer(200, b"\xff\0 no Git at all" * 100, [
                    ("Content-Type", f"application/x-{self.service()}-{kind}")])
            elif mode == "rubbish-pack":
                self.answer(200, line("NAK\n") + pack_head(1, size=100) + b"no zlib stream" * 1000, [
                    ("Content-Type", f"application/x-{self.service()}-{kind}")])
            elif mode == "no-http":
                self.wfile.write(b"\0\1\2 no http at all\r\n\r\n")
                self.close_connection = True
            elif mode == "error-line":
                self.answer(200, line("# service=git-upload-pack\n") + b"0000" + line("ERR the disk is full\n"), [
                    ("Content-Type", f"application/x-{self.service()}-{kind}")])
            elif mode == "echo":
                given = self.headers.get("Authorization", "").encode()
                self.answer(200, line("# service=git-upload-pack\n") + b"0000" + line(
                    b"ERR " + given + b" " + base64.b64decode(given.split(b" ")[-1]) + b"\n"), [
                    ("Content-Type", f"application/x-{self.service()}-{kind}")])
            elif mode == "elsewhere":
                self.answer(302, headers=[("Location", "https://ann:hunter2@other.test/policies")])
            elif mode == "endless-headers":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while True: self.wfile.write(b"X-More: " + b"z" * 8000 + b"\r\n")
            elif mode == "endless":
                self.begin_chunks(kind)
                if kind == "advertisement":
                    self.chunk(line("# service=git-upload-pack\n") + b"0000")
                    self.chunk(line(one + " HEAD\0ofs-delta\n"))
                    number = 0
                    while True:
                        self.chunk(b"".join(line(f"{one} refs/heads/b{number + i}\n") for i in range(1000)))
                        number += 1000
                # One object without an end, in stored blocks of deflate.
                self.chunk(line("NAK\n") + pack_head(1) + b"\x78\x01")
                while True: self.chunk(block)
            else: self.answer(500, b"no such mode")

        def serve_git(self, body):
            path, _, query = self.path.partition("?")
            environment = dict(
                os.environ, GIT_PROJECT_ROOT=folder, GIT_HTTP_EXPORT_ALL="1", REQUEST_METHOD=self.command,
                PATH_INFO=path, QUERY_STRING=query, REMOTE_USER="token",
                CONTENT_TYPE=self.headers.get("Content-Type", ""),
                CONTENT_LENGTH=str(len(body)), HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                GIT_PROTOCOL=self.headers.get("Git-Protocol", ""), GIT_CONFIG_GLOBAL="/dev/null",
                GIT_CONFIG_SYSTEM="/dev/null")
            output = subprocess.run(
                ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL).stdout
            head, _, content = output.partition(b"\r\n\r\n")
            headers = [line.split(b": ", 1) for line in head.split(b"\r\n")]
            status = next((int(value.split()[0]) for name, value in headers if name == b"Status"), 200)
            self.answer(status, content, [(n.decode(), v.decode()) for n, v in headers if n != b"Status"])

        do_GET = do_POST = serve

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

    def serve(certificate=None):
        server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(f"{folder}/{certificate}.crt", f"{folder}/{certificate}.key")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    silent = socket.create_server(("127.0.0.1", 0))
    print(serve("server"), serve("named"), serve(), silent.getsockname()[1], flush=True)
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
    """#
