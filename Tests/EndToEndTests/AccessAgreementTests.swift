import Analysis
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import TestSupport
import Testing

/// Our answers beside those of a real API server, for questions that nobody chose.
@Suite(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
struct AccessAgreementTests {
    private static let questions = 6_000

    @Test func theServerDecidesAsTheEvaluatorDoes() async throws {
        let cluster = try ClusterUnderTest()
        var random = SplitMix64(seed: 0x5ec0_11d5)
        let world = RandomAccess(prefix: "sar-\(UUID().uuidString.prefix(8).lowercased())", random: &random)
        for object in world.objects {
            _ = try await cluster.intruder.send(
                .create(
                    object.tree, try #require(object.id.resource), namespace: object.id.namespace,
                    fieldManager: "test", isDryRun: false), what: "create \(object.id)")
        }
        let model = try await settledModel(cluster)
        let questions = (0..<Self.questions).map { _ in world.question(about: model, random: &random) }
        try await waitForAuthorizer(cluster, model, questions)
        var disagreements: [Question] = []
        var allowed = 0
        for start in stride(from: 0, to: questions.count, by: 64) {
            let batch = Array(questions[start..<min(start + 64, questions.count)])
            for (question, answer) in zip(batch, try await answers(cluster, batch)) {
                let ours = model.allows(question.request, to: question.identity)
                if answer { allowed += 1 }
                if ours != answer { disagreements.append(question) }
            }
        }
        // Other tests make and remove roles beside this one: what they moved is asked again, of them and of us.
        if !disagreements.isEmpty {
            let now = try await settledModel(cluster)
            let again = try await answers(cluster, disagreements)
            disagreements = zip(disagreements, again).filter { now.allows($0.request, to: $0.identity) != $1 }.map(\.0)
        }
        print(
            "SubjectAccessReview: \(questions.count - disagreements.count) of \(questions.count) agree, "
                + "\(allowed) allowed, \(model.roles.count) roles, \(model.bindings.count) bindings")
        #expect(allowed > 1_000)
        #expect(disagreements.prefix(5).map { "\($0)" } == [])
        // What lives in the namespaces goes with them.
        for object in world.objects where object.id.namespace.isEmpty { try await cluster.delete(object.id) }
    }

    /// The model of what the server holds, once the aggregation controller has filled in every role.
    private func settledModel(_ cluster: ClusterUnderTest) async throws -> AccessModel {
        var model = AccessModel(SecurityState())
        try await eventually("the aggregated roles are filled in") {
            var objects: [StateObject] = []
            for resource in [Resource.role, .clusterRole, .roleBinding, .clusterRoleBinding] {
                objects += try await cluster.intruder.list(resource).objects
                    .map { StateObject(id: $0.id, tree: $0.tree) }
            }
            model = AccessModel(SecurityState(objects))
            return objects.allSatisfy { object in
                guard object.tree["aggregationRule"] != nil else { return true }
                let stored = (object.tree["rules"]?.array ?? []).map { PolicyRule($0) }
                return Set(stored) == Set(model.roles[object.id]?.rules ?? [])
            }
        }
        return model
    }

    /// The authorizer hears of new roles a moment after they are stored.
    private func waitForAuthorizer(
        _ cluster: ClusterUnderTest, _ model: AccessModel, _ questions: [Question]
    ) async throws {
        let granted = Array(questions.filter { model.allows($0.request, to: $0.identity) }.prefix(50))
        try await eventually("the authorizer knows the new roles") {
            try await answers(cluster, granted).allSatisfy { $0 }
        }
    }

    private func answers(_ cluster: ClusterUnderTest, _ questions: [Question]) async throws -> [Bool] {
        try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
            for (index, question) in questions.enumerated() {
                group.addTask {
                    let bytes = try await cluster.intruder.send(
                        APIRequest(
                            method: .post, path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                            contentType: "application/json", body: question.review.jsonBytes()), what: "ask")
                    return (index, try parseJSON(bytes)["status"]?["allowed"]?.bool ?? false)
                }
            }
            var answers = [Bool](repeating: false, count: questions.count)
            for try await (index, answer) in group { answers[index] = answer }
            return answers
        }
    }
}

/// One question with the bearer's whole identity.
struct Question: Sendable {
    var identity: AccessIdentity
    var request: AccessRequest

    /// As the server is asked.
    var review: Tree {
        var spec: Tree = ["groups": .array(identity.groups.map { .string($0) })]
        if let user = identity.user { spec.set(["user"], to: .string(user)) }
        switch request.target {
        case .path(let path):
            spec.set(["nonResourceAttributes"], to: ["path": .string(path), "verb": .string(request.verb)])
        case .resource(let group, let resource, let subresource, let name, let namespace):
            var attributes: Tree = ["verb": .string(request.verb), "resource": .string(resource)]
            for (key, value) in [
                ("group", group), ("subresource", subresource), ("name", name), ("namespace", namespace),
            ] where !value.isEmpty {
                attributes.set([key], to: .string(value))
            }
            spec.set(["resourceAttributes"], to: attributes)
        }
        return [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec,
        ]
    }
}
