package import Analysis
import Foundation
package import HTTPClient
import JSON
import KubeProtocol
package import Manifest
package import Reconciler

/// What is asked of a cluster besides its objects.
extension KubeCluster {
    /// What is known of a cluster besides its objects.
    package struct Facts: Sendable {
        /// For people only: never a reason to do or not to do something (rule B6).
        package var version: String
        /// The uid of `kube-system`, which names a cluster for its whole life; nil where it may not be read.
        package var identity: String?
        /// What the server does not serve of what is needed, one sentence each (rule B5).
        package var gaps: [String]
    }

    /// Asks who the cluster is; fails where it cannot be reached or does not know us.
    package func facts() async throws(ClusterError) -> Facts {
        let version = try await serverVersion()
        let gaps = try await discoverGaps()
        do throws(ClusterError) {
            let system = try await read(ObjectID(.namespace, name: "kube-system"))
            return Facts(version: version, identity: system?.uid, gaps: gaps)
        } catch {
            guard error.kind == .forbidden else { throw error }
            return Facts(version: version, identity: nil, gaps: gaps)
        }
    }

    /// What the server calls its version, such as `v1.31.2`; empty where it may not be read.
    package func serverVersion() async throws(ClusterError) -> String {
        do throws(ClusterError) {
            let answer = try await call(
                APIRequest(method: .get, path: "/version"), what: "read the server's version", resource: nil)
            return (try? decode(answer.body))?["gitVersion"]?.string ?? ""
        } catch {
            guard [.forbidden, .resourceNotServed].contains(error.kind), error.status >= 400 else { throw error }
            return ""
        }
    }

    // MARK: Discovery

    private static let neededVerbs = ["list", "watch", "create", "patch", "delete"]

    /// Which managed kinds the server does not serve as needed.
    ///
    /// A group that cannot be asked about is unknown, not absent (rule B3), and no gap.
    private func discoverGaps() async throws(ClusterError) -> [String] {
        var gaps: [String] = []
        var seen: Set<String> = []
        for resource in Resource.managed where seen.insert(resource.apiVersion).inserted {
            let kinds = Resource.managed.filter { $0.apiVersion == resource.apiVersion }
            let path = resource.group.isEmpty ? "/api/v1" : "/apis/\(resource.apiVersion)"
            do throws(ClusterError) {
                let answer = try await call(
                    APIRequest(method: .get, path: path), what: "read what \(path) serves", resource: nil)
                guard let served = (try? decode(answer.body))?["resources"]?.array else { continue }
                gaps += kinds.compactMap { gap(of: $0, in: served) }
            } catch {
                guard error.kind == .resourceNotServed || error.kind == .forbidden else { throw error }
                guard error.status == 404 else { continue }
                gaps.append("the server does not serve \(resource.apiVersion)")
            }
        }
        return gaps
    }

    private func gap(of resource: Resource, in served: [Tree]) -> String? {
        guard let entry = served.first(where: { $0["name"]?.string == resource.plural }) else {
            return "the server does not serve \(resource.qualifiedPlural)"
        }
        let verbs = Set((entry["verbs"]?.array ?? []).compactMap(\.string))
        let missing = Self.neededVerbs.filter { !verbs.contains($0) }
        return missing.isEmpty
            ? nil : "the server does not let \(resource.qualifiedPlural) \(missing.joined(separator: ", "))"
    }

    // MARK: Ourselves

    package func ownRules(in namespace: String) async throws(ClusterError) -> [PolicyRule] {
        let what = "ask which rules hold for us"
        let answer = try await call(.ownRules(in: namespace), what: what, resource: nil)
        let status: Tree?
        do throws(DecodingFailure) {
            status = try decode(answer.body)["status"]
        } catch {
            throw rubbish(what, error)
        }
        guard let rules = status?["resourceRules"]?.array else {
            throw rubbish(what, DecodingFailure(message: "the answer has no rules"))
        }
        return rules.map { PolicyRule($0) }
    }

    package func whoWeAre() async throws(ClusterError) -> UserIdentity? {
        do throws(ClusterError) {
            let answer = try await call(.selfReview, what: "ask who we are", resource: nil)
            let user: Tree?
            do throws(DecodingFailure) {
                user = try decode(answer.body)["status"]?["userInfo"]
            } catch {
                throw rubbish("ask who we are", error)
            }
            guard let name = user?["username"]?.string, !name.isEmpty else {
                throw rubbish("ask who we are", DecodingFailure(message: "the answer names no user"))
            }
            return UserIdentity(name: name, groups: Set((user?["groups"]?.array ?? []).compactMap(\.string)))
        } catch {
            // Older servers do not know the question, and a service account's token says it as well.
            guard error.kind == .resourceNotServed || error.kind == .forbidden else { throw error }
            return serviceAccount(of: try await access().header)
        }
    }
}

/// The service account that a token was issued to, as its claims say; the server has accepted it already.
package func serviceAccount(of header: SecretBytes?) -> UserIdentity? {
    guard let header, let token = String(decoding: header.bytes, as: UTF8.self).split(separator: " ").last else {
        return nil
    }
    let parts = token.split(separator: ".")
    guard parts.count == 3 else { return nil }
    var text = parts[1].replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    text += String(repeating: "=", count: (4 - text.count % 4) % 4)
    guard let data = Data(base64Encoded: text), let claims = try? parseJSON([UInt8](data)),
        let subject = claims["sub"]?.string
    else { return nil }
    let names = subject.split(separator: ":").map(String.init)
    guard names.count == 4, names.starts(with: ["system", "serviceaccount"]) else { return nil }
    return UserIdentity(
        name: subject,
        groups: ["system:serviceaccounts", "system:serviceaccounts:\(names[2])", "system:authenticated"])
}
