import Foundation
import HTTPClient
import KubeClient
import Manifest
import TestSupport
import Testing

@Suite struct KubeconfigTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// A kubeconfig with one context; `cluster` and `user` are flow maps.
    private func config(cluster: String = "{server: https://api.test:6443}", user: String = "{}") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: main
        contexts:
        - name: main
          context: {cluster: c, user: u, namespace: team}
        clusters:
        - name: c
          cluster: \(cluster)
        users:
        - name: u
          user: \(user)
        """
    }

    private func find(
        _ text: String, context: String? = nil, environment: [String: String] = [:]
    ) throws -> ClusterEndpoint {
        let file = try scratch.write(text, to: "config")
        return try findClusterEndpoint(kubeconfig: file, context: context, environment: environment)
    }

    private func failure(_ text: String, context: String? = nil) throws -> ClusterConfigurationError {
        try #require(throws: ClusterConfigurationError.self) { try find(text, context: context) }
    }

    // MARK: What it says

    @Test func readsTheCurrentContext() async throws {
        let endpoint = try find(
            config(
                cluster: "{server: 'https://api.test:6443/k8s/clusters/c-1/', tls-server-name: other.test}",
                user: "{token: abc}"))
        #expect(endpoint.server == "https://api.test:6443/k8s/clusters/c-1", "the prefix stays (rule A8)")
        #expect(endpoint.name == "main")
        #expect(endpoint.namespace == "team")
        #expect(endpoint.serverName == "other.test")
        #expect(endpoint.isEncrypted)
        #expect(endpoint.proxy.address(for: endpoint.server) == nil)
        #expect(try await endpoint.credentials.authorization().text == "Bearer abc")
    }

    @Test func readsJSON() async throws {
        let endpoint = try find(
            #"{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c"}}],"#
                + #""clusters":[{"name":"c","cluster":{"server":"https://api.test"}}]}"#)
        #expect(endpoint.server == "https://api.test")
        #expect(try await endpoint.credentials.authorization() == Authorization())
    }

    @Test func usesAnotherContextWhenAsked() throws {
        let text =
            config() + "\n" + """
                preferences: {}
                """
        let both = text.replacingOccurrences(
            of: "clusters:\n", with: "- name: second\n  context: {cluster: c}\nclusters:\n")
        #expect(try find(both, context: "second").name == "second")
        #expect(try find(both).name == "main")
    }

    @Test func takesTheProxyFromTheFileElseFromTheEnvironment() throws {
        let environment = ["HTTPS_PROXY": "http://proxy.test:3128", "SECRET": "x"]
        let url = "https://api.test:6443/api"
        #expect(try find(config(), environment: environment).proxy.address(for: url) == "http://proxy.test:3128")
        let own = config(cluster: "{server: 'https://api.test', proxy-url: 'socks5://own.test:1080'}")
        #expect(try find(own, environment: environment).proxy == .address("socks5://own.test:1080"))
    }

    @Test func prefersInlineCertificatesToFiles() async throws {
        let endpoint = try find(
            config(
                cluster: "{server: 'https://a', certificate-authority: none, certificate-authority-data: "
                    + "\(base64(certificate(1)))}",
                user: "{client-certificate: none, client-certificate-data: \(base64(certificate(2))), "
                    + "client-key: none, client-key-data: \(base64(key(3)))}"))
        let access = try await endpoint.access()
        #expect(access.tls.certificateAuthorities == bytes(certificate(1)))
        #expect(access.tls.clientCertificate == bytes(certificate(2)))
        #expect(access.tls.clientKey == SecretBytes(bytes(key(3))))
        #expect(access.header == nil)
    }

    struct Precedence: CustomTestStringConvertible {
        var testDescription: String
        var user: String
        var header: String?
        var hasCertificate = false
    }

    private static let certificateFields =
        "client-certificate-data: \(base64(certificate())), client-key-data: \(base64(key()))"
    private static let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /does/not/exist}"

    @Test(arguments: [
        Precedence(testDescription: "token over exec", user: "{token: abc, \(exec)}", header: "Bearer abc"),
        Precedence(
            testDescription: "password over exec", user: "{username: me, password: pass, \(exec)}",
            header: "Basic bWU6cGFzcw=="),
        Precedence(
            testDescription: "certificate over exec", user: "{\(certificateFields), \(exec)}", header: nil,
            hasCertificate: true),
        Precedence(
            testDescription: "token with certificate", user: "{token: abc, \(certificateFields)}", header: "Bearer abc",
            hasCertificate: true),
        Precedence(
            testDescription: "file over literal", user: "{token: abc, tokenFile: token}", header: "Bearer filed"),
        Precedence(
            testDescription: "literal where the file was never read", user: "{token: abc, tokenFile: none}",
            header: "Bearer abc"),
        Precedence(
            testDescription: "empty fields are absent", user: "{token: '', tokenFile: '', username: ''}", header: nil),
        Precedence(
            testDescription: "colon in the password", user: "{username: me, password: 'a:b'}", header: "Basic bWU6YTpi"),
    ])
    func choosesCredentialsAsKubectlDoes(_ example: Precedence) async throws {
        try scratch.write("  filed\n", to: "token")
        let endpoint = try find(config(user: example.user))
        let authorization = try await endpoint.credentials.authorization()
        #expect(authorization.text == example.header)
        #expect((authorization.clientCertificate != nil) == example.hasCertificate)
        #expect((authorization.clientKey != nil) == example.hasCertificate)
    }

    @Test func loadsNoCredentialsForPlainHTTP() async throws {
        let endpoint = try find(
            config(cluster: "{server: 'http://127.0.0.1:8080'}", user: "{token: abc, tokenFile: none}"))
        #expect(!endpoint.isEncrypted)
        #expect(try await endpoint.credentials.authorization() == Authorization())
        let access = try await endpoint.access()
        #expect(access.header == nil)
        #expect(access.tls == TLSConfiguration())
    }

    // MARK: Several files

    @Test func mergesFilesAndTheFirstDefinitionWins() async throws {
        let first = try scratch.write(
            """
            contexts: [{name: a, context: {cluster: c, user: u}}]
            users: [{name: u, user: {tokenFile: secret/token}}]
            """, to: "one/config")
        let second = try scratch.write(
            """
            current-context: a
            contexts: [{name: a, context: {cluster: wrong}}]
            clusters: [{name: c, cluster: {server: 'https://second.test', certificate-authority: ca.crt}}]
            users: [{name: u, user: {token: wrong}}, {name: v, user: {}}]
            """, to: "two/config")
        try scratch.write("from-one", to: "one/secret/token")
        try scratch.write(certificate(7), to: "two/ca.crt")
        let endpoint = try findClusterEndpoint(
            kubeconfig: nil, context: nil,
            environment: ["KUBECONFIG": "\(first)::\(scratch.path)/missing:\(second)", "HOME": "/nowhere"])
        #expect(endpoint.server == "https://second.test")
        let access = try await endpoint.access()
        #expect(access.header == SecretBytes(bytes("Bearer from-one")))
        #expect(access.tls.certificateAuthorities == bytes(certificate(7)), "found beside the second file")
    }

    @Test func fallsBackToTheHomeFolder() throws {
        try scratch.write(config(), to: ".kube/config")
        let endpoint = try findClusterEndpoint(
            kubeconfig: nil, context: nil, environment: ["HOME": scratch.path, "KUBECONFIG": ""])
        #expect(endpoint.name == "main")
    }

    @Test func tellsWhereItLooked() throws {
        for (path, environment) in [
            ("/nowhere/config", [:]), (nil, ["KUBECONFIG": "/nowhere/config:"]), (nil, ["HOME": "/nowhere"]),
            (nil, [:]),
        ] as [(String?, [String: String])] {
            let error = try #require(throws: ClusterConfigurationError.self) {
                try findClusterEndpoint(kubeconfig: path, context: nil, environment: environment)
            }
            #expect(error.message.hasPrefix("no kubeconfig"))
            #expect(error.hint.contains("--kubeconfig"))
        }
    }

    // MARK: Mistakes

    struct Mistake: CustomTestStringConvertible {
        var cluster = "{server: https://api.test}"
        var user = "{}"
        var says: String
        var testDescription: String { says }
    }

    @Test(arguments: [
        Mistake(cluster: "{}", says: "has no server"),
        Mistake(cluster: "{server: api.test}", says: "no address with http:// or https://"),
        Mistake(cluster: "{server: 'ftp://api.test'}", says: "no address with http:// or https://"),
        Mistake(cluster: "{server: 'https://'}", says: "no address with http:// or https://"),
        Mistake(cluster: "{server: 'https://me:hunter2@api.test'}", says: "has a password in its server address"),
        Mistake(cluster: "{server: 'https://api.test?x=1'}", says: "query or a fragment"),
        Mistake(cluster: "{server: [1]}", says: "holds a list under server, not a string"),
        Mistake(
            cluster: "{server: 'https://a', insecure-skip-tls-verify: true, certificate-authority: ca.crt}",
            says: "has a certificate authority and insecure-skip-tls-verify"),
        Mistake(cluster: "{server: 'https://a', insecure-skip-tls-verify: 'yes'}", says: "not a boolean"),
        Mistake(cluster: "{server: 'https://a', certificate-authority-data: '***'}", says: "is not base64"),
        Mistake(
            cluster: "{server: 'https://a', certificate-authority-data: \(base64("hello"))}",
            says: "certificate-authority-data that holds no PEM text"),
        Mistake(cluster: "{server: 'https://a', proxy-url: 'ftp://x'}", says: "proxy-url that is no address"),
        Mistake(user: "{client-certificate: c.crt}", says: "a client certificate without its key"),
        Mistake(user: "{client-key: c.key}", says: "a client certificate without its key"),
        Mistake(
            user: "{client-certificate-data: \(base64(certificate())), client-key-data: "
                + "\(base64(pem("ENCRYPTED PRIVATE KEY")))}", says: "locked with a password"),
        Mistake(user: "{token: hunter2, username: me}", says: "has a password and a token"),
        Mistake(user: "{token: 12345}", says: "holds a number under token, not a string"),
        Mistake(user: "{token: 'hunter2 and more'}", says: "has a token that holds something else than one token"),
        Mistake(user: "{token: hunter2, as: admin}", says: "impersonates somebody (as)"),
        Mistake(user: "{auth-provider: {name: gcp}}", says: "auth-provider, which Kubernetes has removed"),
        Mistake(user: "{exec: {command: x}}", says: "speaks \"\""),
        Mistake(
            user: "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}", says: "v1alpha1"),
        Mistake(
            user: "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}}",
            says: "wants a person at a terminal"),
        Mistake(
            user: "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Sometimes}}",
            says: "unknown interactiveMode"),
        Mistake(user: "{exec: {apiVersion: client.authentication.k8s.io/v1}}", says: "has no command"),
        Mistake(
            user: "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1, args: [1]}}",
            says: "an argument that is a number"),
    ])
    func namesTheFileAndWhatIsWrongInIt(_ mistake: Mistake) throws {
        let error = try failure(config(cluster: mistake.cluster, user: mistake.user))
        #expect(error.message.contains(mistake.says), "\(error.message)")
        #expect(error.message.contains(scratch.path + "/config"))
        #expect(!error.hint.isEmpty)
        #expect(!error.message.contains("hunter2"))
    }

    @Test(arguments: [
        ("", "has no current context"), ("[]", "it is a list, not a map"), ("current-context: x", "no context \"x\""),
        ("a: [", "line "), ("clusters: {}", "holds a map under clusters, not a list"),
        ("clusters: [{}]", "clusters[0]"), ("clusters: [{name: a}, {name: a}]", "the name \"a\" of an earlier entry"),
        ("clusters: [{name: a, cluster: 3}]", "holds a number under cluster, not a map"),
        ("contexts: [{name: a, context: {cluster: b}}]\ncurrent-context: a", "names a cluster that"),
        (
            "contexts: [{name: a, context: {cluster: b, user: c}}]\ncurrent-context: a\nclusters: [{name: b}]",
            "names the user \"c\""
        ),
    ])
    func refusesAFileThatDoesNotHoldTogether(_ text: String, _ says: String) throws {
        let error = try failure(text.isEmpty ? "{}" : text)
        #expect(error.message.contains(says), "\(error.message)")
    }

    @Test func namesTheContextsThereAre() throws {
        #expect(try failure(config(), context: "mian").hint == "Use one of these: main.")
    }

    @Test func survivesAFileThatIsNone() throws {
        for text in ["\u{0}\u{1}", String(repeating: "[", count: 100_000), "a: &a [*a]"] {
            let error = try failure(text)
            #expect(error.message.contains("config"))
        }
        let error = try #require(throws: ClusterConfigurationError.self) {
            try findClusterEndpoint(kubeconfig: scratch.path, context: nil, environment: [:])
        }
        #expect(error.message.contains("it is no file"))
    }
}
