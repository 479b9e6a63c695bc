import Manifest
import Testing

@Suite struct LiveObjectTests {
    /// A Role as a typed list of the server holds it: without `apiVersion` and `kind`.
    private func item(_ change: (inout Tree) -> Void = { _ in }) -> Tree {
        var tree: Tree = [
            "metadata": [
                "name": "reader", "namespace": "a", "uid": "u-1", "resourceVersion": "7",
                "labels": ["team": "a", "empty": ""], "annotations": ["note": "n"],
            ],
            "rules": [],
        ]
        change(&tree)
        return tree
    }

    @Test func readsItsIdentity() throws {
        let object = try #require(LiveObject(item(), of: .role))
        #expect(object.id == ObjectID(.role, namespace: "a", name: "reader"))
        #expect(object.uid == "u-1")
        #expect(object.resourceVersion == "7")
        #expect(object.label("team") == "a")
        #expect(object.label("empty") == "")
        #expect(object.label("note") == nil)
        #expect(object.annotation("note") == "n")
        #expect(!object.isTerminating)
    }

    @Test func whereItWasReadCountsForMoreThanItsOwnKind() throws {
        let plain = try #require(LiveObject(item(), of: .role))
        #expect(plain.tree["kind"] == "Role")
        #expect(plain.tree["apiVersion"] == "rbac.authorization.k8s.io/v1")
        let partial = item {
            $0.set(["kind"], to: "PartialObjectMetadata")
            $0.set(["apiVersion"], to: "meta.k8s.io/v1")
        }
        #expect(LiveObject(partial, of: .role) == plain)
    }

    @Test func aNamespaceOnAnObjectOfTheWholeClusterIsDropped() throws {
        #expect(try #require(LiveObject(item(), of: .clusterRole)).id == ObjectID(.clusterRole, name: "reader"))
    }

    @Test(arguments: ["name", "uid", "resourceVersion"])
    func isNothingWithoutItsIdentity(_ field: String) {
        #expect(LiveObject(item { $0.set(["metadata", field], to: nil) }, of: .role) == nil)
        #expect(LiveObject(item { $0.set(["metadata", field], to: 7) }, of: .role) == nil)
    }

    @Test(arguments: [Tree.null, "text", .array([]), [:], ["metadata": .array([])]])
    func isNothingWhereThereIsNoObject(_ tree: Tree) {
        #expect(LiveObject(tree, of: .role) == nil)
    }

    @Test func aNamespaceHasFinalizersOfItsOwn() throws {
        let tree: Tree = [
            "metadata": ["name": "a", "uid": "u", "resourceVersion": "1", "finalizers": ["example.com/hold"]],
            "spec": ["finalizers": ["kubernetes"]],
        ]
        #expect(try #require(LiveObject(tree, of: .namespace)).finalizers == ["example.com/hold", "kubernetes"])
        #expect(try #require(LiveObject(tree, of: .role)).finalizers == ["example.com/hold"])
    }

    @Test func isTerminatingOnceItsDeletionWasAskedFor() throws {
        let tree = item { $0.set(["metadata", "deletionTimestamp"], to: "2026-03-01T12:30:00Z") }
        #expect(try #require(LiveObject(tree, of: .role)).isTerminating)
    }

    @Test func itsContentIsAllButTheServersBookkeeping() throws {
        let managed = item { $0.set(["metadata", "managedFields"], to: [["manager": "kubectl"]]) }
        let object = try #require(LiveObject(managed, of: .role))
        let plain = try #require(LiveObject(item(), of: .role))
        #expect(object.content == plain.tree)
        #expect(plain.content == plain.tree)
        #expect(object.tree[["metadata", "managedFields"]] != nil)
    }

    @Test func readsFieldManagersLeniently() throws {
        let tree = item {
            $0.set(
                ["metadata", "managedFields"],
                to: [
                    ["manager": "bylaw-main", "operation": "Apply", "fieldsV1": ["f:rules": [:]]],
                    ["manager": "odd", "operation": "Patch"], "text", [:],
                    ["operation": "Update", "subresource": "status", "time": "2026-03-01T12:30:00Z"],
                ])
        }
        let managers = try #require(LiveObject(tree, of: .role)).fieldManagers
        #expect(managers.map(\.manager) == ["bylaw-main", ""])
        #expect(managers.map(\.operation) == [.apply, .update])
        #expect(managers.map(\.subresource) == ["", "status"])
        #expect(managers.map(\.time) == [nil, "2026-03-01T12:30:00Z"])
        #expect(managers.map(\.fields) == [["f:rules": [:]], [:]])
        #expect(try #require(LiveObject(item(), of: .role)).fieldManagers == [])
    }
}
