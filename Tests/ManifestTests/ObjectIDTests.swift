import Manifest
import TestSupport
import Testing

@Suite struct ObjectIDTests {
    @Test func theVersionPlaysNoPartInIdentity() {
        var newer = Resource.role
        newer.version = "v2"
        #expect(ObjectID(newer, namespace: "a", name: "reader") == ObjectID(.role, namespace: "a", name: "reader"))
    }

    @Test func theGroupPlaysAPartInIdentity() {
        let ours = ObjectID(.networkPolicy, namespace: "a", name: "deny")
        let other = ObjectID(group: "crd.projectcalico.org", kind: "NetworkPolicy", namespace: "a", name: "deny")
        #expect(ours != other)
        #expect(ours.resource == .networkPolicy)
        #expect(other.resource == nil)
    }

    @Test func anObjectOfTheWholeClusterHasNoNamespace() {
        let id = ObjectID(.clusterRole, namespace: "a", name: "auditor")
        #expect(id.namespace == "")
        #expect(id == ObjectID(.clusterRole, name: "auditor"))
        #expect(ObjectID(.role, namespace: "a", name: "auditor").namespace == "a")
    }

    @Test func aNamespaceIsItsOwnScope() {
        #expect(ObjectID(.namespace, name: "a").scopeNamespace == "a")
        #expect(ObjectID(.role, namespace: "a", name: "x").scopeNamespace == "a")
        #expect(ObjectID(.clusterRole, name: "x").scopeNamespace == "")
        #expect(ObjectID(group: "example.org", kind: "Namespace", namespace: "", name: "x").scopeNamespace == "")
    }

    /// RBAC names may hold any character: a twin in another spelling must not hide behind a declared object.
    @Test func twoSpellingsOfANameAreTwoObjects() {
        let declared = ObjectID(.clusterRoleBinding, name: composed)
        let twin = ObjectID(.clusterRoleBinding, name: decomposed)
        #expect(declared != twin)
        #expect(Set([declared, twin]).count == 2)
        #expect(twin < declared)
    }

    @Test func sortsByGroupKindNamespaceAndName() {
        let sorted = [
            ObjectID(.namespace, name: "z"), ObjectID(.serviceAccount, namespace: "a", name: "z"),
            ObjectID(.networkPolicy, namespace: "a", name: "a"), ObjectID(.clusterRole, name: "a"),
            ObjectID(.role, namespace: "Z", name: "b"), ObjectID(.role, namespace: "a", name: "a"),
            ObjectID(.role, namespace: "a", name: "b"), ObjectID(.role, namespace: "b", name: "a"),
        ]
        var random = SplitMix64(seed: 1)
        #expect(sorted.shuffled(using: &random).sorted() == sorted)
        #expect(!(sorted[0] < sorted[0]))
    }

    @Test func readsAsPeopleSayIt() {
        #expect(ObjectID(.role, namespace: "team-a", name: "reader").description == "Role team-a/reader")
        #expect(ObjectID(.clusterRole, name: "auditor").description == "ClusterRole auditor")
    }

    @Test func nineKindsAreManagedAndFoundByGroupAndKind() {
        #expect(Resource.managed.count == 9)
        #expect(Set(Resource.managed.map(\.qualifiedPlural)).count == 9)
        for resource in Resource.managed {
            #expect(Resource.managed(group: resource.group, kind: resource.kind) == resource)
        }
        #expect(Resource.managed(group: "", kind: "Secret") == nil)
        #expect(Resource.managed(group: "", kind: "Role") == nil)
        #expect(Resource.namespace.apiVersion == "v1")
        #expect(Resource.role.apiVersion == "rbac.authorization.k8s.io/v1")
        #expect(Resource.role.qualifiedPlural == "roles.rbac.authorization.k8s.io")
        #expect(Resource.namespace.qualifiedPlural == "namespaces")
    }
}
