import Manifest
import Planning
import Policy
import TestSupport
import Testing
import YAML

/// What Kubernetes makes at its start is nobody's declaration, whatever release it is.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct BootstrapObjectsTests {
    @Test(arguments: [
        "cluster-role-bindings", "cluster-roles", "cluster-roles-featuregates", "controller-role-bindings",
        "controller-roles", "namespace-role-bindings", "namespace-roles",
    ])
    func isLeftAlone(_ file: String) throws {
        let world = ClosedWorld(ScopeRules(standardMode: .enforce)) { name in
            ScopedNamespace(name: name, labels: Labels(), isDeclared: true)
        }
        let items = parseYAML(try Conformance.read("rbac/bootstrap/\(file).yaml")).documents.flatMap {
            $0.tree["items"]?.array ?? []
        }
        #expect(!items.isEmpty)
        for tree in items {
            let resource = try #require(Resource.managed.first { $0.kind == tree["kind"]?.string })
            var tree = tree
            tree.set(["metadata", "uid"], to: "u")
            tree.set(["metadata", "resourceVersion"], to: "1")
            let object = try #require(LiveObject(tree, of: resource))
            // The data is that of OpenShift's Kubernetes, which makes these besides; they are told, and left alone.
            let isOfOpenShift =
                object.id.name.contains("openshift") || object.id.name.hasSuffix("service-ca-cert-publisher")
            #expect(world.mode(of: object) == (isOfOpenShift ? .report : .declared), "\(object.id)")
        }
    }
}
