import Analysis
import Manifest
import TestSupport
import Testing

/// The tables of Kubernetes' own unit tests, 142 lines.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct AccessUnitConformanceTests {
    private func rules(_ tree: Tree?) -> [PolicyRule] { (tree?.array ?? []).map { PolicyRule($0) } }

    /// The bindings of the tables have no names, so they get some.
    private func model(_ line: Tree) -> AccessModel {
        let lists = [
            ("roles", "Role"), ("clusterRoles", "ClusterRole"), ("roleBindings", "RoleBinding"),
            ("clusterRoleBindings", "ClusterRoleBinding"),
        ]
        var objects: [StateObject] = []
        for (list, kind) in lists {
            for (index, element) in (line[list]?.array ?? []).enumerated() {
                var tree = element
                if tree["metadata"]?["name"] == nil { tree.set(["metadata", "name"], to: .string("unnamed-\(index)")) }
                if let object = stateObject(tree, kind: kind) { objects.append(object) }
            }
        }
        return AccessModel(SecurityState(objects))
    }

    private func identity(_ tree: Tree) -> AccessIdentity {
        AccessIdentity(user: tree["user"]?.string, groups: (tree["groups"]?.array ?? []).compactMap(\.string))
    }

    @Test func aRuleAllowsARequest() throws {
        let lines = try conformanceLines("rbac/unit/rule_allows.jsonl")
        for line in lines {
            let request = AccessRequest(conformance: line["request"] ?? [:])
            #expect(PolicyRule(line["rule"] ?? [:]).allows(request) == line["allowed"]?.bool, "\(line)")
        }
        #expect(lines.count == 70)
    }

    @Test func rulesCoverRules() throws {
        let lines = try conformanceLines("rbac/unit/covers.jsonl")
        for line in lines {
            let uncovered = uncoveredRights(of: rules(line["servantRules"]), by: rules(line["ownerRules"]))
            #expect(uncovered.isEmpty == line["expectedCovered"]?.bool, "\(line)")
            #expect(Set(uncovered.parts) == Set(rules(line["expectedUncovered"])), "\(line)")
        }
        #expect(lines.count == 23)
    }

    @Test func aPathIsCoveredByAPath() throws {
        let lines = try conformanceLines("rbac/unit/nonresourceurl_covers.jsonl")
        for line in lines {
            let owner = PolicyRule(verbs: ["get"], nonResourceURLs: [line["owner"]?.string ?? ""])
            let wanted = PolicyRule(verbs: ["get"], nonResourceURLs: [line["requested"]?.string ?? ""])
            #expect(uncoveredRights(of: [wanted], by: [owner]).isEmpty == line["covers"]?.bool, "\(line)")
        }
        #expect(lines.count == 14)
    }

    @Test func aSubjectAppliesToAUser() throws {
        let lines = try conformanceLines("rbac/unit/applies_to.jsonl")
        for line in lines {
            let namespace = line["namespace"]?.string ?? ""
            let found = (line["subjects"]?.array ?? []).firstIndex { tree in
                AccessSubject(tree, in: namespace).map(identity(line).isNamed) ?? false
            }
            #expect((found != nil) == line["appliesTo"]?.bool, "\(line)")
            if let found { #expect(Int64(found) == line["index"]?.integer) }
        }
        #expect(lines.count == 9)
    }

    @Test func theAuthorizerDecides() throws {
        let lines = try conformanceLines("rbac/unit/authorizer.jsonl")
        var requests = 0
        for line in lines {
            let model = model(line)
            for (list, expected) in [("shouldPass", true), ("shouldFail", false)] {
                for question in line[list]?.array ?? [] {
                    let request = AccessRequest(conformance: question)
                    #expect(model.allows(request, to: identity(question)) == expected, "\(question)")
                    requests += 1
                }
            }
        }
        #expect(lines.count == 4)
        #expect(requests > 30)
    }

    @Test func theRulesThatHoldForAUser() throws {
        let lines = try conformanceLines("rbac/unit/effective_rules.jsonl")
        for line in lines {
            let grants = model(line).grants(of: identity(line), in: line["namespace"]?.string ?? "")
            #expect(Set(grants.map(\.rule)) == Set(rules(line["effectiveRules"])), "\(line)")
        }
        #expect(lines.count == 4)
    }

    @Test func theSubjectLocatorFinds() throws {
        let lines = try conformanceLines("rbac/unit/subject_locator.jsonl")
        for line in lines {
            var found = model(line).whoCan(AccessRequest(conformance: line["action"] ?? [:])).map(\.subject)
            // Upstream's locator can be told of one user above all; no server has that setting any more.
            if let superUser = line["superUser"]?.string, !superUser.isEmpty {
                found.append(AccessSubject(kind: .user, name: superUser))
            }
            let expected = (line["allowedSubjects"]?.array ?? []).compactMap { AccessSubject($0, in: "") }
            #expect(Set(found) == Set(expected), "\(line)")
        }
        #expect(lines.count == 6)
    }

    @Test func simpleRulesAreMerged() throws {
        let lines = try conformanceLines("rbac/unit/compact_rules.jsonl")
        for line in lines {
            #expect(Set(mergeSimpleRules(rules(line["rules"]))) == Set(rules(line["compacted"])), "\(line)")
        }
        #expect(lines.count == 6)
    }

    @Test func clusterRolesAreAggregated() throws {
        let lines = try conformanceLines("rbac/unit/aggregation.jsonl")
        for line in lines {
            var renamed = line
            renamed.set(["clusterRoles"], to: line["startingClusterRoles"])
            let name = line["clusterRoleToSync"]?.string ?? ""
            let id = ObjectID(.clusterRole, name: name)
            let before = (line["startingClusterRoles"]?.array ?? []).first { $0["metadata"]?["name"]?.string == name }
            let expected = line["changed"]?.bool == true ? line["expectedClusterRole"] : before
            #expect(model(renamed).roles[id]?.rules == rules(expected?["rules"]), "\(line)")
        }
        #expect(lines.count == 6)
    }
}
