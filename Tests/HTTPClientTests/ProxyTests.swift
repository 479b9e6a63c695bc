import Foundation
import HTTPClient
import Testing

@Suite struct ProxyTests {
    struct Example: CustomTestStringConvertible {
        var url: String
        var variables: [String: String]
        var proxy: String?
        var testDescription: String { "\(url) with \(variables)" }

        init(_ url: String, _ variables: [String: String], _ proxy: String?) {
            self.url = url
            self.variables = variables
            self.proxy = proxy
        }

        init(_ url: String, except exceptions: String, isProxied: Bool) {
            self.init(url, ["HTTPS_PROXY": "http://p", "NO_PROXY": exceptions], isProxied ? "http://p" : nil)
        }
    }

    @Test(arguments: [
        Example("https://api.test/", [:], nil),
        Example("https://api.test/", ["HTTPS_PROXY": "http://p"], "http://p"),
        Example("https://api.test/", ["https_proxy": "http://small", "HTTPS_PROXY": "http://p"], "http://small"),
        Example("https://api.test/", ["HTTP_PROXY": "http://p"], nil),
        Example("http://api.test/", ["HTTP_PROXY": "http://p"], "http://p"),
        Example("https://api.test/", ["ALL_PROXY": "socks5://p"], "socks5://p"),
        Example("https://api.test/", ["HTTPS_PROXY": "", "ALL_PROXY": "socks5://p"], "socks5://p"),
        Example("https://127.0.0.1:6443/", ["HTTPS_PROXY": "http://p"], nil),
        Example("https://127.8.0.1/", ["HTTPS_PROXY": "http://p"], nil),
        Example("https://[::1]:6443/", ["HTTPS_PROXY": "http://p"], nil),
        Example("https://localhost/", ["HTTPS_PROXY": "http://p"], nil),
        Example("https://api.test/", except: "api.test", isProxied: false),
        Example("https://API.test/", except: "other, api.TEST", isProxied: false),
        Example("https://a.api.test/", except: "api.test", isProxied: false),
        Example("https://a.api.test/", except: ".api.test", isProxied: false),
        Example("https://a.api.test/", except: "*.api.test", isProxied: false),
        Example("https://api.test/", except: ".api.test", isProxied: true),
        Example("https://notapi.test/", except: "api.test", isProxied: true),
        Example("https://api.test/", except: "*", isProxied: false),
        Example("https://api.test:6443/", except: "api.test:6443", isProxied: false),
        Example("https://api.test/", except: "api.test:6443", isProxied: true),
        Example("https://api.test/", except: "api.test:443", isProxied: false),
        Example("https://10.96.0.1/", except: "10.96.0.1", isProxied: false),
        Example("https://10.96.0.1/", except: "10.96.0.0/12", isProxied: false),
        Example("https://10.112.0.1/", except: "10.96.0.0/12", isProxied: true),
        Example("https://10.96.0.1/", except: "10.96.0.0/99,rubbish/x,:,,10.0.0.0/0", isProxied: false),
        Example("https://10.96.0.1/", except: "96.0.1", isProxied: true),
        Example("https://[fd00::1]/", except: "fd00::/8", isProxied: false),
        Example("https://[fd00::1]/", except: "fd00:0::1", isProxied: false),
        Example("https://[fd00::1]:6443/", except: "[fd00::1]:6443", isProxied: false),
        Example("https://[fd00::1]/", except: "[fd00::2]", isProxied: true),
        Example("no url", except: "", isProxied: false),
    ])
    func choosesAsTheVariablesSay(_ example: Example) {
        #expect(ProxyConfiguration.variables(example.variables).address(for: example.url) == example.proxy)
    }

    @Test func takesAnExplicitProxyForEverything() {
        #expect(ProxyConfiguration.address("http://p").address(for: "https://127.0.0.1/") == "http://p")
        #expect(ProxyConfiguration.none.address(for: "https://api.test/") == nil)
        #expect("\(ProxyConfiguration.address("http://user:hunter2@p:3128"))" == "http://p:3128")
    }

    @Test func connectsThroughAProxyWithItsPassword() async throws {
        let server = try TestServer.shared()
        let address = server.proxy.replacingOccurrences(of: "http://", with: "http://user:hunter2@")
        let exchanger = try server.exchanger(proxy: .address(address))
        let answer = try await exchanger.send(HTTPRequest(url: server.tls + "/echo"))
        #expect(answer.status == 200)
        #expect(answer.headers.all("content-length").count == 1, "the proxy's own headers are not the answer's")
        let target = server.tls.replacingOccurrences(of: "https://", with: "")
        let proxied = try await server.counts()["proxied"] as? [[String]] ?? []
        #expect(proxied.contains(["CONNECT", target, "Proxy-Authorization: Basic dXNlcjpodW50ZXIy"]))
    }

    @Test func verifiesTheServersNameThroughAProxy() async throws {
        let server = try TestServer.shared()
        var tls = try server.trust()
        tls.serverName = "api.test"
        let exchanger = HTTPExchanger(tls: tls, proxy: .address(server.proxy))
        #expect(try await exchanger.send(HTTPRequest(url: server.named + "/echo")).status == 200)
        let target = server.named.replacingOccurrences(of: "https://", with: "")
        let proxied = try await server.counts()["proxied"] as? [[String]] ?? []
        #expect(proxied.contains(["CONNECT", target, ""]), "the proxy is asked for the address, not for the name")
    }

    @Test(arguments: [
        "http://user:hunter2@no such host", "http://user:hunter2@nowhere.invalid:3128",
        "http://user:hunter2@127.0.0.1:1",
        "http://user:hun/ter2@127.0.0.1:1", "http://user:hunter2@x@nowhere.invalid", "user:hunter2@nowhere.invalid",
        "http://user:hunter2", "ftp://user:hunter2@nowhere.invalid", "http://user:hunter2@[::1",
    ])
    func neverShowsItsPassword(_ address: String) async throws {
        let error = await #expect(throws: HTTPError.self) {
            try await HTTPExchanger(proxy: .address(address)).send(HTTPRequest(url: "https://api.test/"))
        }
        #expect(error?.message.contains("hunter2") == false, "\(error?.message ?? "")")
        #expect(error?.message.contains("ter2") == false, "\(error?.message ?? "")")
    }

    /// Behind a bastion only the proxy can resolve the name.
    @Test(arguments: ["socks5", "SOCKS5", "socks5h"])
    func leavesNamesToASOCKSProxy(_ scheme: String) async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(isListening)
        let port = UInt16(bigEndian: address.sin_port)
        // A thread that runs before the request is sent: a task would wait for its turn among the other tests, longer
        // than the client waits for a proxy.
        let (asked, answer) = AsyncStream.makeStream(of: [UInt8].self)
        Thread.detachNewThread {
            let client = accept(listener, nil, nil)
            var bytes = [UInt8](repeating: 0, count: 512)
            _ = read(client, &bytes, bytes.count)
            _ = write(client, [5, 0] as [UInt8], 2)
            let count = read(client, &bytes, bytes.count)
            close(client)
            answer.yield(Array(bytes.prefix(max(0, count))))
            answer.finish()
        }
        _ = try? await HTTPExchanger(proxy: .address("\(scheme)://127.0.0.1:\(port)")).send(
            HTTPRequest(url: "https://behind.invalid/"))
        // Version 5, connect, and a name in place of an address.
        let name = Array("behind.invalid".utf8)
        let request = await asked.first { _ in true }
        #expect(request?.starts(with: [5, 1, 0, 3, UInt8(name.count)] + name) == true)
    }

    @Test(arguments: ["https://refused.test/"])
    func tellsThatAProxyRefuses(_ url: String) async throws {
        let server = try TestServer.shared()
        let address = server.proxy.replacingOccurrences(of: "http://", with: "http://user:hunter2@")
        let error = await #expect(throws: HTTPError.self) {
            try await server.exchanger(proxy: .address(address)).send(HTTPRequest(url: url))
        }
        #expect(error?.kind == .proxy)
        #expect(error?.message.contains("hunter2") == false)
    }
}
