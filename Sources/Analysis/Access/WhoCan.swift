import Manifest

/// Somebody who may do what was asked for, and by what.
package struct PermittedSubject: Sendable {
    package var subject: AccessSubject
    /// Empty for `system:masters`, whom the server lets through unasked.
    package var via: [AccessGrant]
}

extension AccessModel {
    /// The subjects of bindings that may do something, in order, `system:masters` among them.
    ///
    /// A group stands for its members. Whoever a User or Group subject is in the end, the server's authenticators decide.
    package func whoCan(_ request: AccessRequest) -> [PermittedSubject] {
        var found: [AccessSubject: [AccessGrant]] = [
            AccessSubject(kind: .group, name: "system:masters"): []
        ]
        for binding in bindings where binding.scope.isEmpty || binding.scope == request.namespace {
            guard let role = roles[binding.role],
                let index = role.rules.firstIndex(where: { $0.allows(request) })
            else { continue }
            for subject in Set(binding.subjects) {
                found[subject, default: []].append(
                    AccessGrant(
                        rule: role.rules[index], ruleIndex: index, binding: binding, role: role, subject: subject))
            }
        }
        return found.map { PermittedSubject(subject: $0.key, via: $0.value) }.sorted { $0.subject < $1.subject }
    }
}
