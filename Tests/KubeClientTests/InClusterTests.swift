import Foundation
import HTTPClient
import KubeClient
import Manifest
import TestSupport
import Testing

@Suite struct InClusterTests {
    let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
        try scratch.write("pod-token", to: "token")
        try scratch.write(certificate(5), to: "ca.crt")
        try scratch.write("team\n", to: "namespace")
    }

    private func environment(_ host: String, _ port: String = "443") -> [String: String] {
        ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port]
    }

    @Test func readsTheServiceAccount() async throws {
        let endpoint = try #require(
            try inClusterEndpoint(environment: environment("10.96.0.1"), directory: scratch.path))
        #expect(endpoint.server == "https://10.96.0.1:443")
        #expect(endpoint.name == "in-cluster")
        #expect(endpoint.namespace == "team")
        #expect(endpoint.serverName == nil)
        let access = try await endpoint.access()
        #expect(access.header == SecretBytes(bytes("Bearer pod-token")))
        #expect(access.tls.certificateAuthorities == bytes(certificate(5)))
    }

    private func token(_ claims: String) -> SecretBytes {
        func part(_ text: String) -> String {
            Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
        }
        return SecretBytes(bytes("Bearer \(part(#"{"alg":"RS256"}"#)).\(part(claims)).c2ln"))
    }

    /// Before Kubernetes 1.28 only the token itself says who we are.
    @Test func aServiceAccountsTokenTellsItsName() {
        let user = serviceAccount(of: token(#"{"sub":"system:serviceaccount:bylaw-system:bylaw","aud":["?>?"]}"#))
        #expect(user?.name == "system:serviceaccount:bylaw-system:bylaw")
        #expect(user?.groups.contains("system:serviceaccounts:bylaw-system") == true)
    }

    @Test(arguments: [
        #"{"sub":"ann@example.com"}"#, #"{"sub":"system:serviceaccount:a"}"#, #"{"sub":7}"#, "{}", "no JSON", "",
        #"{"sub":"system:serviceaccount:a:b:c"}"#,
    ])
    func anotherTokenTellsNothing(_ claims: String) {
        #expect(serviceAccount(of: token(claims)) == nil)
        #expect(serviceAccount(of: SecretBytes(bytes("Bearer \(claims)"))) == nil)
    }

    @Test func writesAnIPv6AddressInBrackets() throws {
        let endpoint = try inClusterEndpoint(environment: environment("fd00::1", "6443"), directory: scratch.path)
        #expect(endpoint?.server == "https://[fd00::1]:6443")
    }

    @Test func isNoneOutsideOfAPod() throws {
        #expect(try inClusterEndpoint(environment: [:], directory: scratch.path) == nil)
        #expect(try inClusterEndpoint(environment: environment(""), directory: scratch.path) == nil)
    }

    @Test func explainsAPodWithoutAServiceAccount() throws {
        try scratch.remove("token")
        let error = try #require(throws: ClusterConfigurationError.self) {
            try inClusterEndpoint(environment: environment("10.96.0.1"), directory: scratch.path)
        }
        #expect(error.hint.contains("automountServiceAccountToken"))
    }

    @Test func refusesAPortThatIsNone() {
        #expect(throws: ClusterConfigurationError.self) {
            try inClusterEndpoint(environment: environment("10.96.0.1", "tcp://x"), directory: scratch.path)
        }
    }

    @Test func comesAfterANamedKubeconfigAndBeforeTheHomeFolder() throws {
        let text = """
            current-context: file
            contexts: [{name: file, context: {cluster: c}}]
            clusters: [{name: c, cluster: {server: 'https://file.test'}}]
            """
        let file = try scratch.write(text, to: ".kube/config")
        var variables = environment("10.96.0.1")
        variables["HOME"] = scratch.path
        func name(_ path: String?, _ variables: [String: String]) throws -> String {
            try findClusterEndpoint(
                kubeconfig: path, context: nil, environment: variables, serviceAccount: scratch.path
            ).name
        }
        #expect(try name(file, variables) == "file")
        #expect(try name(nil, variables) == "in-cluster")
        variables["KUBECONFIG"] = file
        #expect(try name(nil, variables) == "file")
        #expect(throws: ClusterConfigurationError.self) {
            try findClusterEndpoint(
                kubeconfig: nil, context: "file", environment: environment("10.96.0.1"), serviceAccount: scratch.path)
        }
    }
}
