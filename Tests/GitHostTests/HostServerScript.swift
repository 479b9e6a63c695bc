/// The parts of three Git hosts' APIs that are used here, as strict as their documentation.
///
/// What no host would take is answered with 418 and kept under `violations`, so that a wrong form cannot pass in
/// silence. It does not imitate: sessions, permissions by role, protected branches, edits by others, GitLab's
/// discussions. The name of a repository chooses how it misbehaves (`m-MODE-...`). It ends when its standard input
/// does.
let hostServerScript = #"""
    import http.server, json, os, re, socketserver, sys, threading, time, urllib.parse

    lock = threading.Lock()
    repositories = {}
    accounts = {
        "good-secret-token": {"id": 7, "login": "bylaw", "type": "User"},
        "readonly-secret-token": {"id": 8, "login": "reader", "type": "User"},
        "nobody-secret-token": {"id": 9, "login": "nobody", "type": "User"},
        "actions-secret-token": {"id": 41, "login": "actions[bot]", "type": "Bot"},
    }
    prefixes = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}
    states = {
        "github": ["error", "failure", "pending", "success"],
        "gitlab": ["pending", "running", "success", "failed", "canceled", "skipped"],
        "gitea": ["pending", "success", "error", "failure", "warning"],
    }
    events = {"pending": "enqueue", "running": "run"}

    class Answer(Exception):
        def __init__(self, status, body, headers=()):
            self.status, self.body, self.headers = status, body, headers

    def repository(host, name):
        return repositories.setdefault((host, name), {
            "statuses": [], "comments": {}, "reads": 0, "writes": 0, "violations": [], "page_size": 3, "next": 1000})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *words): pass

        def answer(self, status, body, headers=()):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers: self.send_header(name, value)
            self.send_header("Content-Type", "text/html" if isinstance(body, bytes) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def serve(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.bytes = self.rfile.read(length)
            url = urllib.parse.urlsplit(self.path)
            self.query = dict(urllib.parse.parse_qsl(url.query))
            try:
                if url.path in ("/seed", "/state"): return self.control(url.path)
                host = next((host for host, prefix in prefixes.items() if url.path.startswith(prefix + "/")), None)
                if host is None: raise Answer(404, {"message": "Not Found"})
                self.host, self.repo = host, None
                self.respond(url.path[len(prefixes[host]):])
            except Answer as answer:
                self.answer(answer.status, answer.body, answer.headers)

        def control(self, path):
            if path == "/seed":
                wanted = json.loads(self.bytes)
                with lock:
                    repo = repository(wanted["host"], wanted["repository"])
                    comments = repo["comments"].setdefault(wanted["number"], [])
                    for comment in wanted["comments"]:
                        comments.append(dict(comment, id=repo["next"]))
                        repo["next"] += 1
                    repo["statuses"] += wanted.get("statuses", [])
                raise Answer(200, {})
            with lock: raise Answer(200, repository(self.query["host"], self.query["repository"]))

        def violate(self, text):
            if self.repo is not None: self.repo["violations"].append(text)
            raise Answer(418, {"message": "violation: " + text})

        def token(self):
            given = self.headers.get("Authorization", "")
            private = self.headers.get("PRIVATE-TOKEN")
            if self.host == "gitlab" and private is not None: return private
            words = given.split(" ")
            forms = {"github": ["Bearer", "token"], "gitlab": ["Bearer"], "gitea": ["token", "Bearer"]}[self.host]
            if len(words) != 2 or words[0] not in forms: self.violate("Authorization form")
            return words[1]

        def respond(self, path):
            if path == "/user": return self.who()
            if self.host == "gitlab":
                match = re.fullmatch(r"/projects/([^/]+)/(.+)", path)
                name = urllib.parse.unquote(match.group(1)) if match else ""
            else:
                match = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
                name = match.group(1) if match else ""
            if not match: raise Answer(404, {"message": "404 Not Found"})
            with lock: self.repo = repository(self.host, name)
            self.name = name
            mode = re.match(r".*/m-([a-z0-9]+)-", name)
            if mode: self.misbehave(mode.group(1))
            self.authenticate()
            self.check_form()
            with lock:
                self.repo["reads" if self.command == "GET" else "writes"] += 1
                self.route(match.group(2))
            raise Answer(404, {"message": "Not Found"})

        def authenticate(self):
            self.account = accounts.get(self.token())
            if self.account is None:
                raise Answer(401, {
                    "github": {"message": "Bad credentials", "documentation_url": "https://docs.test", "status": "401"},
                    "gitlab": {"message": "401 Unauthorized"},
                    "gitea": {"message": "invalid username, password or token", "url": "https://host.test/api/swagger"},
                }[self.host])

        def check_form(self):
            if not self.headers.get("User-Agent"): self.violate("no User-Agent")
            accept = self.headers.get("Accept", "")
            if accept not in ("application/json", "application/vnd.github+json"): self.violate("Accept")
            if self.host == "github" and self.headers.get("X-GitHub-Api-Version") != "2022-11-28":
                self.violate("X-GitHub-Api-Version")
            if self.command == "GET":
                if self.bytes: self.violate("a body with GET")
                return
            if self.headers.get("Content-Type") != "application/json": self.violate("Content-Type")
            try: self.given = json.loads(self.bytes)
            except ValueError: self.violate("the body is not JSON")
            if not isinstance(self.given, dict): self.violate("the body is no object")

        def who(self):
            self.authenticate()
            self.check_form()
            if self.account["login"] == "actions[bot]" and self.host == "github":
                raise Answer(403, {"message": "Resource not accessible by integration"})
            if self.account["login"] == "nobody":
                raise Answer(403, {"message": "token does not have at least one of required scope(s): [read:user]"})
            raise Answer(200, self.person(self.account))

        def person(self, account):
            if self.host == "github": return account
            if self.host == "gitlab": return {"id": account["id"], "username": account["login"], "bot": True}
            return {"id": account["id"], "login": account["login"]}

        def may_write(self):
            if self.account["login"] in ("reader",):
                raise Answer(403, {
                    "github": {"message": "Resource not accessible by personal access token"},
                    "gitlab": {"error": "insufficient_scope", "error_description":
                        "The request requires higher privileges than provided by the access token.", "scope": "api"},
                    "gitea": {"message": "token does not have at least one of required scope(s): [write:issue]"},
                }[self.host])

        def route(self, rest):
            match = re.fullmatch(r"statuses/([0-9a-f]{40}(?:[0-9a-f]{24})?)", rest)
            if match and self.command == "POST": self.status(match.group(1))
            listing = r"merge_requests/(\d+)/notes" if self.host == "gitlab" else r"issues/(\d+)/comments"
            match = re.fullmatch(listing, rest)
            if match and self.command == "GET": self.list_comments(match.group(1))
            if match and self.command == "POST": self.create(match.group(1))
            change = r"merge_requests/(\d+)/notes/(\d+)" if self.host == "gitlab" else r"issues/()comments/(\d+)"
            match = re.fullmatch(change, rest)
            if match and self.command == ("PUT" if self.host == "gitlab" else "PATCH"):
                self.update(match.group(1), int(match.group(2)))

        def take(self, required, optional):
            for name in required:
                if not isinstance(self.given.get(name), str) or not self.given[name]: self.violate("lacks " + name)
            for name in self.given:
                if name not in required + optional: self.violate("unknown member " + name)
            for name in optional:
                if name in self.given and not isinstance(self.given[name], str): self.violate(name + " is no string")

        def status(self, sha):
            self.may_write()
            name = "name" if self.host == "gitlab" else "context"
            self.take(["state", name], ["description", "target_url"])
            given = self.given
            if given["state"] not in states[self.host]: self.violate("state " + given["state"])
            description = given.get("description", "")
            if "\n" in description: self.violate("a description of several lines")
            if self.host == "github":
                if sha.startswith("dead"): raise Answer(422, {"message": f"No commit found for SHA: {sha}"})
                if len(description) > 140:
                    raise Answer(422, {"message": "Validation Failed", "errors": [{"resource": "Status", "code": "custom",
                        "field": "description", "message": "description is too long (maximum is 140 characters)"}]})
            if self.host != "github" and sha.startswith("dead"): raise Answer(404, {"message": "404 Commit Not Found"})
            if self.host == "gitlab":
                long = [n for n in ("description", "target_url") if len(given.get(n, "")) > 255]
                if long: raise Answer(400, {"message": {n: ["is too long (maximum is 255 characters)"] for n in long}})
                last = [s for s in self.repo["statuses"] if (s["sha"], s["name"]) == (sha, given["name"])][-1:]
                if last and last[0]["state"] in events and (
                        last[0]["state"] == given["state"] or given["state"] in events):
                    event, now = events[given["state"]], last[0]["state"]
                    raise Answer(400, {"message": f"Cannot transition status via :{event} from :{now} "
                        f"(Reason(s): Status cannot transition via \"{event}\")"})
            self.repo["statuses"].append(dict(given, sha=sha))
            raise Answer(201, dict(given, id=len(self.repo["statuses"])))

        def shown(self, comment):
            if self.host == "gitlab":
                return {"id": comment["id"], "body": comment["body"], "author": self.person(comment["author"]),
                    "system": comment.get("system", False)}
            return {"id": comment["id"], "body": comment["body"], "user": self.person(comment["author"])}

        def list_comments(self, number):
            if number == "404": raise Answer(404, {"message": "Not Found"})
            comments = [self.shown(comment) for comment in self.repo["comments"].get(number, [])]
            # Gitea lists all at once, whatever it is asked.
            if self.host == "gitea": raise Answer(200, comments)
            size, page = int(self.query.get("per_page", 30)), int(self.query.get("page", 1))
            if not 1 <= size <= 100: self.violate("per_page")
            size = min(size, self.repo["page_size"])
            part = comments[(page - 1) * size:page * size]
            more = page * size < len(comments)
            if self.host == "gitlab": raise Answer(200, part, [("X-Next-Page", str(page + 1) if more else "")])
            # Another host, and another path, as GitHub's own links have: the token must not go there.
            links = [f'<https://elsewhere.test/repositories/77/issues/{number}/comments?per_page=100&page={n}>; rel="{r}"'
                for n, r in ([(page - 1, "prev")] if page > 1 else []) + ([(page + 1, "next"), (99, "last")] if more else [])]
            raise Answer(200, part, [("Link", ", ".join(links))] if links else [])

        def check_body(self):
            self.may_write()
            self.take(["body"], [])
            limit = {"github": 65536, "gitlab": 1000000, "gitea": None}[self.host]
            if limit and len(self.given["body"]) > limit:
                if self.host == "gitlab":
                    raise Answer(400, {"message": {"note": [f"is too long (maximum is {limit} characters)"]}})
                raise Answer(422, {"message": "Validation Failed", "errors": [{"resource": "IssueComment",
                    "code": "unprocessable", "field": "data", "message": f"Body is too long (maximum is {limit} characters)"}]})

        def create(self, number):
            self.check_body()
            comment = {"id": self.repo["next"], "author": self.account, "body": self.given["body"]}
            self.repo["next"] += 1
            self.repo["comments"].setdefault(number, []).append(comment)
            raise Answer(201, self.shown(comment))

        def update(self, number, id):
            self.check_body()
            for key, comments in self.repo["comments"].items():
                for comment in comments:
                    if comment["id"] != id or number not in ("", key): continue
                    if comment["author"]["id"] != self.account["id"]: self.violate("changed what another wrote")
                    if comment["body"] == self.given["body"]: self.violate("wrote what was there already")
                    comment["body"] = self.given["body"]
                    raise Answer(200, self.shown(comment))
            raise Answer(404, {"message": "Not Found"})

        def misbehave(self, mode):
            sent = self.headers.get("Authorization", "") + self.headers.get("PRIVATE-TOKEN", "")
            if mode == "hang": time.sleep(60)
            elif mode == "huge": raise Answer(200, [{"id": 1, "body": "x" * 2000000, "user": {"id": 1}}])
            elif mode == "page": raise Answer(200, b"<html>Sign in</html>")
            elif mode == "object": raise Answer(200, {})
            elif mode == "elsewhere":
                raise Answer(301, {"message": "Moved Permanently"}, [
                    ("Location", "https://ann:hunter2@other.test/api/v3/repos/new?private_token=" + sent.split(" ")[-1])])
            elif mode == "primary":
                raise Answer(403, {"message": "API rate limit exceeded for user ID 7."}, [
                    ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1767225600")])
            elif mode == "secondary":
                raise Answer(403, {"message": "You have exceeded a secondary rate limit."}, [("Retry-After", "30")])
            elif mode == "busy": raise Answer(429, {"message": "Too Many Requests"}, [("Retry-After", "7")])
            elif mode == "broken": raise Answer(502, b"<html>Bad gateway</html>")
            elif mode == "echo": raise Answer(500, {"message": f"panic: header {sent} of\nmany\u202e lines " + "y" * 5000})
            elif mode == "endless":
                page = int(self.query.get("page", 1))
                raise Answer(200, [], [("Link", f'<https://elsewhere.test/?page={page + 1}>; rel="next"'),
                    ("X-Next-Page", str(page + 1))])
            elif mode == "circle":
                raise Answer(200, [], [("Link", '<https://elsewhere.test/?page=2>; rel="next"'), ("X-Next-Page", "2")])
            elif mode == "vanish":
                self.close_connection = True
                raise ConnectionError()
            else: self.violate("no such mode")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True
        request_queue_size = 128
        def handle_error(self, request, address): pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
    """#
