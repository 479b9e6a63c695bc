import AuditEvents
import Manifest
import Testing

@Suite struct UserTests {
    struct Example: CustomTestStringConvertible {
        var name: String
        var groups: [String]
        var account: AuditUser.Account
        var testDescription: String { "\(name) in \(groups)" }
    }

    static let ofAccounts = ["system:serviceaccounts", "system:authenticated"]

    @Test(arguments: [
        Example(name: "alice", groups: ["system:masters"], account: .person),
        Example(name: "system:anonymous", groups: ["system:unauthenticated"], account: .anonymous),
        Example(name: "system:kube-controller-manager", groups: [], account: .controlPlane),
        Example(name: "system:apiserver", groups: ["system:masters"], account: .controlPlane),
        Example(name: "system:node:n1", groups: ["system:nodes"], account: .node("n1")),
        Example(name: "system:node:n1", groups: [], account: .person),
        Example(
            name: "system:serviceaccount:kube-system:clusterrole-aggregation-controller", groups: ofAccounts,
            account: .controlPlane),
        Example(
            name: "system:serviceaccount:kube-system:namespace-controller", groups: ["system:authenticated"],
            account: .person),
        Example(
            name: "system:serviceaccount:kube-system:my-controller", groups: ofAccounts,
            account: .serviceAccount(ObjectID(.serviceAccount, namespace: "kube-system", name: "my-controller"))),
        Example(
            name: "system:serviceaccount:team-a:namespace-controller", groups: ofAccounts,
            account: .serviceAccount(ObjectID(.serviceAccount, namespace: "team-a", name: "namespace-controller"))),
        Example(name: "system:serviceaccount:team-a", groups: ofAccounts, account: .person),
    ])
    func tellsTheControlPlaneFromOthers(_ example: Example) {
        #expect(AuditUser(name: example.name, groups: example.groups).account == example.account)
    }

    @Test func theImpersonatedUserActs() throws {
        let event = try #require(Sample(user: "mallory", impersonated: "alice", version: "105").event)
        #expect(event.actor.name == "alice")
        #expect(event.impersonator?.name == "mallory")
    }

    @Test func actingInTheNameOfAControllerIsNotTheControlPlane() throws {
        let event = try #require(
            Sample(user: "mallory", impersonated: "system:kube-controller-manager", version: "105").event)
        #expect(!event.isControlPlane)
    }

    @Test func twoSpellingsAreTwoUsers() {
        #expect(!AuditUser(name: "jos\u{e9}").isSameUser(as: AuditUser(name: "jose\u{301}")))
        #expect(read([Sample(user: "jose\u{301}")], ourUser: "jos\u{e9}").events.count == 1)
    }
}
