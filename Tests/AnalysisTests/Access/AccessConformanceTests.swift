import Analysis
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// Kubernetes' own answers about one imaginary cluster.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct AccessConformanceTests {
    private static let cluster: AccessModel = {
        let names = [
            "00-bootstrap-cluster-role-bindings", "00-bootstrap-cluster-roles", "00-bootstrap-controller-role-bindings",
            "00-bootstrap-controller-roles", "00-bootstrap-namespace-role-bindings", "00-bootstrap-namespace-roles",
            "10-applications",
        ]
        let objects = names.flatMap { name in
            stateObjects(yaml: (try? Conformance.read("rbac/cluster/\(name).yaml")) ?? [])
        }
        return AccessModel(SecurityState(objects))
    }()

    @Test func whoCanAgreesWithTheSubjectLocator() async throws {
        var disagreements: [String] = []
        let lines = try conformanceLines("rbac/who-can.jsonl")
        for line in lines {
            await Task.yield()
            let request = AccessRequest(conformance: line["query"] ?? [:])
            let answer = Self.cluster.whoCan(request).map { permitted in
                let subject = permitted.subject
                return subject.kind == .serviceAccount
                    ? "ServiceAccount:\(subject.namespace)/\(subject.name)" : "\(subject.kind.rawValue):\(subject.name)"
            }
            let expected = (line["subjects"]?.array ?? []).compactMap(\.string)
            if answer.sorted() != expected.sorted() { disagreements.append("\(request)") }
        }
        print("rbac who-can: \(lines.count - disagreements.count) of \(lines.count) agree")
        #expect(lines.count == 386)
        #expect(disagreements == [])
    }

    @Test func verdictsAndReasonsAgreeWithTheAuthorizer() async throws {
        var disagreements: [String] = []
        var allowed = 0
        let lines = try conformanceLines("rbac/can-i.jsonl")
        for line in lines {
            await Task.yield()
            let question = line["request"] ?? [:]
            let request = AccessRequest(conformance: question)
            let identity = AccessIdentity(
                user: question["user"]?.string, groups: (question["groups"]?.array ?? []).compactMap(\.string))
            let reasons = Self.cluster.grants(of: identity, in: request.namespace)
                .filter { $0.rule.allows(request) }.map(\.reason)
            let expected = line["allowed"]?.bool == true
            if expected { allowed += 1 }
            let agrees =
                reasons.isEmpty != expected
                && Self.cluster.allows(request, to: identity) == (expected || identity.isMaster)
                && (line["reason"]?.string.map(reasons.contains) ?? true)
            if !agrees { disagreements.append("\(request) \(reasons)") }
        }
        print("rbac can-i: \(lines.count - disagreements.count) of \(lines.count) agree, \(allowed) allowed")
        #expect(lines.count == 2_534)
        #expect(allowed == 320)
        #expect(disagreements == [])
    }

    /// What stands in for a cluster that is not at hand gives what Kubernetes' own roles give.
    @Test func theDefaultRolesAreThoseOfKubernetes() throws {
        let names = ["cluster-roles", "cluster-role-bindings"]
        let objects = names.flatMap { stateObjects(yaml: (try? Conformance.read("rbac/bootstrap/\($0).yaml")) ?? []) }
        let upstream = AccessModel(SecurityState(objects))
        let ours = AccessModel(SecurityState.kubernetesDefaults)
        var compared = 0
        for (id, role) in ours.roles {
            let other = try #require(upstream.roles[id], "\(id)")
            #expect(uncoveredRights(of: role.rules, by: other.rules).isEmpty, "\(id) gives more")
            #expect(uncoveredRights(of: other.rules, by: role.rules).isEmpty, "\(id) gives less")
            compared += 1
        }
        #expect(compared == 11)
        for binding in ours.bindings {
            let other = try #require(upstream.bindings.first { $0.id == binding.id })
            #expect(other.role == binding.role)
            #expect(Set(other.subjects) == Set(binding.subjects))
        }
    }
}
