import EmbeddedCluster
import Foundation
import Manifest
import Reconciler
import Testing
import YAML

/// `Deploy/components/policy-sync/definition.yaml` and the status that the code makes: a server drops in silence what the one
/// has and the other does not know.
@Suite struct PolicySyncDefinitionTests {
    private let definition: Tree
    private let version: Tree
    private let schema: StructuralSchema
    private static let time = Timestamp(microsecondsSinceEpoch: 1_772_366_400_123_456)

    init() throws {
        let path = sourceRoot + "/Deploy/components/policy-sync/definition.yaml"
        let stream = parseYAML([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        try #require(stream.problems.isEmpty, "\(stream.problems)")
        definition = try #require(stream.documents.first?.tree)
        version = try #require(definition["spec"]?["versions"]?.array?.first)
        schema = StructuralSchema(try #require(version["schema"]?["openAPIV3Schema"]))
    }

    /// A status with everything that there can be in one.
    ///
    /// - Parameter word: Stands wherever somebody else's text does.
    private func fullStatus(_ word: String = "team") -> Tree {
        let ann = Person(name: word, email: word)
        let revision = Revision(
            commit: String(repeating: "a", count: 40), author: ann, committer: ann, committedAt: Self.time,
            subject: word)
        var state = PolicySyncState(
            .init(instance: "default", cluster: word, repository: word, path: word, reporter: word))
        state.note(
            ControllerStanding(
                isEnforcing: true, isGathered: true, isJournalUsable: true, objects: [.inSync: ["Role": 7]],
                heldActions: 3, strangers: 4, openIncidents: [.approvalMissing: 2], oldestDrift: Self.time,
                enforcedRevision: revision, declaredObjects: 9, openDrifts: 1))
        var report = PassReport(revision: revision.commit)
        report.endedAt = Self.time
        let incident = EntryDraft(
            at: Self.time, kind: .notice, reason: .incident(.driftFight), outcome: .failed,
            object: ObjectID(.role, namespace: word, name: word), message: word)
        for notice: ControllerNotice in [
            .fetched(FetchReport(at: Self.time, duration: .zero, newest: revision)), .synced(report),
            .incident(incident),
            .driftEnded(
                EndedDrift(
                    object: ObjectID(.role, namespace: word, name: word), reason: .changed, duration: .zero,
                    isCorrected: true)),
        ] {
            state.note(notice, at: Self.time) { _ in word }
        }
        return state.status(over: [:], generation: 1, at: Self.time)
    }

    private func object(_ status: Tree) -> Tree {
        [
            "apiVersion": "bylaw.dev/v1alpha1", "kind": "PolicySync",
            "metadata": ["name": "bylaw", "creationTimestamp": "2026-03-01T12:00:00Z"], "status": status,
        ]
    }

    private func expectKept(_ status: Tree, sourceLocation: SourceLocation = #_sourceLocation) {
        let object = object(status)
        #expect(schema.pruned(object: object) == object, sourceLocation: sourceLocation)
        #expect(schema.problems(of: object) == [], sourceLocation: sourceLocation)
    }

    @Test func theSchemaHasEveryFieldThatIsWritten() {
        expectKept(fullStatus())
        var more = fullStatus()
        more.set(["secret"], to: "b")
        #expect(schema.pruned(object: object(more)) == object(fullStatus()), "the test sees what is unknown")
    }

    @Test func theSchemaHasNothingElse() {
        func paths(_ tree: Tree?, _ path: String) -> Set<String> {
            if let items = tree?["items"] { return paths(items, path) }
            guard let members = tree?["properties"]?.members else { return [path] }
            return members.reduce(into: []) { $0.formUnion(paths($1.value, path + "." + $1.key)) }
        }
        func written(_ tree: Tree, _ path: String) -> Set<String> {
            switch tree {
            case .object(let members): members.reduce(into: []) { $0.formUnion(written($1.value, path + "." + $1.key)) }
            case .array(let elements): elements.reduce(into: []) { $0.formUnion(written($1, path)) }
            default: [path]
            }
        }
        let status = version["schema"]?["openAPIV3Schema"]?["properties"]?["status"]
        #expect(paths(status, "") == written(fullStatus(), ""))
    }

    @Test func theBoundsHoldWhateverOthersWrite() {
        for word in [String(repeating: "x", count: 5000), String(repeating: "ü€", count: 2000), "\u{1b}[2J\n\0", ""] {
            expectKept(fullStatus(word))
        }
    }

    @Test func everyStateIsOneThatTheSchemaTakes() {
        var state = PolicySyncState(.init(instance: "a", cluster: "b", repository: "", path: "", reporter: "c"))
        expectKept(state.status(over: [:], generation: nil, at: Self.time))
        for reason in IncidentReason.allCases {
            state.note(ControllerStanding(isEnforcing: true, isGathered: true, openIncidents: [reason: 1]))
            expectKept(state.status(over: fullStatus(), generation: 3, at: Self.time))
        }
        state.isStopped = true
        expectKept(state.status(over: fullStatus(), generation: 3, at: Self.time))
    }

    @Test func whatIsBoundedAndStructuralIsAllThatIsThere() throws {
        #expect(schema.unknownKeywords == [])
        func expectBounds(_ schema: Tree, _ path: String) {
            switch schema["type"]?.string {
            case "string":
                let isBounded = schema["maxLength"] != nil || schema["format"] != nil || schema["enum"] != nil
                #expect(isBounded, "\(path)")
            case "array": #expect(schema["maxItems"] != nil, "\(path)")
            case "object", "integer": break
            default: Issue.record("\(path) has no type")
            }
            for (name, child) in schema["properties"]?.members ?? Members() { expectBounds(child, path + "." + name) }
            if let items = schema["items"] { expectBounds(items, path + "[]") }
        }
        expectBounds(try #require(version["schema"]?["openAPIV3Schema"]), "")
    }

    @Test func theDefinitionIsOfTheResourceThatTheClientWritesTo() {
        let resource = Resource.policySync
        #expect(definition["apiVersion"] == "apiextensions.k8s.io/v1")
        #expect(definition["metadata"]?["name"] == .string(resource.qualifiedPlural))
        #expect(definition["spec"]?["group"] == .string(resource.group))
        #expect(definition["spec"]?["names"]?["kind"] == .string(resource.kind))
        #expect(definition["spec"]?["names"]?["plural"] == .string(resource.plural))
        #expect(definition["spec"]?["names"]?["shortNames"] == ["psync"])
        #expect(definition["spec"]?["scope"] == "Namespaced")
        #expect(definition["spec"]?["preserveUnknownFields"] == nil)
        #expect(version["name"] == .string(resource.version))
        #expect(version["subresources"]?["status"] == [:])
        #expect(!Resource.managed.contains(resource), "no repository declares it, and nothing reconciles it")
    }

    // MARK: Columns

    /// What a column's path leads to; the two forms of steps that the definition uses.
    private func value(at path: String, in tree: Tree) throws -> Tree? {
        var rest = path[...]
        var found: Tree? = tree
        while !rest.isEmpty {
            if let step = rest.prefixMatch(of: /\.([A-Za-z]+)/) {
                found = found?[String(step.1)]
                rest = rest[step.range.upperBound...]
            } else {
                let step = try #require(rest.prefixMatch(of: /\[\?\(@\.type=="([A-Za-z]+)"\)\]/), "\(path) at \(rest)")
                found = found?.array?.first { $0["type"]?.string == String(step.1) }
                rest = rest[step.range.upperBound...]
            }
        }
        return found
    }

    @Test func everyColumnLeadsToSomethingOfItsType() throws {
        let columns = try #require(version["additionalPrinterColumns"]?.array)
        for column in columns {
            let path = try #require(column["jsonPath"]?.string)
            let found = try #require(try value(at: path, in: object(fullStatus())), "\(path) leads nowhere")
            switch column["type"]?.string {
            case "string": #expect(found.string != nil, "\(path)")
            case "integer": #expect(found.integer != nil, "\(path)")
            case "date": #expect(found.string.flatMap { Timestamp($0) } != nil, "\(path)")
            default: Issue.record("\(column) has a type that kubectl does not know")
            }
        }
        let plain = columns.filter { $0["priority"] == nil }.compactMap { $0["name"]?.string }
        #expect(plain == ["Ready", "Synced", "Drifted", "Held", "Revision", "Reported", "Age"])
    }
}
