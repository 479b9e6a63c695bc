package import Manifest

/// How the admission policies of an instance, and their bindings, are called.
package struct PreventionPolicyNames: Sendable {
    /// Guards what is managed.
    package let managed: String
    /// Refuses what is not declared.
    package let undeclared: String

    package init(of instance: String) {
        managed = "bylaw-\(instance)"
        undeclared = managed + ".undeclared"
    }
}

/// The admission policies that make the API server refuse what the repository does not declare, with their bindings.
///
/// The first pair, `bylaw-<instance>`, guards managed objects, their marker and the break-glass annotation; the second,
/// `bylaw-<instance>.undeclared`, is there where a scope is enforced, and refuses what would be removed anyway.
/// Deleting what is undeclared is nobody's loss, so it stays allowed.
///
/// They are canonical, with the server's defaults, and carry our label but not the identity, which
/// ``Ownership/marked(_:id:)`` adds. The server never asks a policy about policies and bindings: whoever may delete
/// these can switch prevention off, which is the way out where one locks everybody out, and which only a watch can see.
/// Apply them before anything else, so that a change of our own user name does not shut us out.
///
/// - Returns: Each policy followed by its binding; equal settings give equal objects.
package func preventionObjects(_ settings: PreventionSettings) -> [Tree] {
    let names = PreventionPolicyNames(of: settings.instance)
    var objects = pair(
        named: names.managed, settings,
        spec: spec(
            settings, kinds: Resource.managed, subresources: subresourcesWithMetadata,
            operations: ["CREATE", "UPDATE", "DELETE"],
            variables: [
                (
                    "concerns",
                    allOf([
                        "variables.instance == \(literal(settings.instance))"
                            + " || variables.oldInstance == \(literal(settings.instance))",
                        "!variables.isExempt", "!variables.isControlPlane", "!variables.isQuiet",
                    ])
                )
            ],
            validations: markerValidations(settings)
                + writeValidations(settings, what: "is kept by Bylaw, instance \"\(settings.instance)\"")))
    let closedKinds =
        settings.refusedClusterKinds
        + settings.namespaceSelections.reduce(into: Set<Resource>()) { $0.formUnion($1.kinds) }
    guard !closedKinds.isEmpty else { return objects }
    objects += pair(
        named: names.undeclared, settings,
        spec: spec(
            settings, kinds: closedKinds, operations: ["CREATE", "UPDATE"],
            variables: PreventionExpressions.scope(settings) + [
                (
                    "concerns",
                    // What was ours before is the first policy's to guard.
                    allOf([
                        "variables.isInScope", "variables.oldInstance != \(literal(settings.instance))",
                        "!variables.isExcluded", "!variables.isExempt", "!variables.isControlPlane",
                        "!variables.isQuiet",
                    ])
                )
            ],
            validations: writeValidations(
                settings,
                what: "is not declared, in a scope where Bylaw, instance \"\(settings.instance)\", lets nothing else be"
            ))
    )
    return objects
}

/// A policy, and the binding that puts it in force everywhere.
private func pair(named name: String, _ settings: PreventionSettings, spec: Tree) -> [Tree] {
    func object(_ resource: Resource, _ spec: Tree) -> Tree {
        [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": ["name": .string(name), "labels": [Ownership.instanceLabel: .string(settings.instance)]],
            "spec": spec,
        ]
    }
    return [
        object(.admissionPolicy, spec),
        object(.admissionPolicyBinding, ["policyName": .string(name), "validationActions": ["Deny", "Audit"]]),
    ]
}

private func spec(
    _ settings: PreventionSettings, kinds: some Sequence<Resource>, subresources: [String] = [],
    operations: [String], variables: [PreventionExpressions.Variable], validations: [Tree]
) -> Tree {
    [
        "failurePolicy": "Fail",
        "matchConstraints": [
            "matchPolicy": "Equivalent", "namespaceSelector": [:], "objectSelector": [:],
            "resourceRules": .array(resourceRules(kinds, subresources: subresources, operations: operations)),
        ],
        "matchConditions": [
            [
                "name": "not-by-bylaw-or-the-server",
                "expression": .string(
                    "!has(request.userInfo.username) || !(request.userInfo.username in "
                        + "\(literals([settings.bylawUser, ControlPlane.server])))"),
            ]
        ],
        "variables": .array(
            (PreventionExpressions.request(settings) + variables).map {
                ["name": .string($0.name), "expression": .string($0.expression)]
            }),
        "validations": .array(validations),
        "auditAnnotations": [
            [
                "key": "break-glass",
                "valueExpression": .string(
                    "variables.concerns && variables.isBreakGlass && (\(PreventionExpressions.isDelete)"
                        + " || variables.isUntilSound) ? variables.user + ' broke the glass: ' + request.operation"
                        + " + ' ' + \(subject) + (variables.until == '' ? '' : ' until ' + variables.until) : ''"),
            ]
        ],
    ]
}

/// One rule for each API group: the objects themselves, and the subresources that are given.
private func resourceRules(
    _ kinds: some Sequence<Resource>, subresources: [String], operations: [String]
) -> [Tree] {
    Dictionary(grouping: Set(kinds), by: \.group).sorted { $0.key < $1.key }.map { group, kinds in
        let plurals = Set(kinds.map(\.plural))
        // All of them are of the core group.
        let parts = subresources.filter { plurals.contains(String($0.prefix { $0 != "/" })) }
        return [
            "apiGroups": [.string(group)], "apiVersions": ["v1"],
            "operations": .array(operations.map(Tree.string)),
            "resources": .array((plurals + parts).sorted().map(Tree.string)), "scope": "*",
        ]
    }
}

/// The subresources through which the server keeps changed labels and annotations.
///
/// The controllers' many other writes to them pass as quiet ones: only the metadata counts there.
private let subresourcesWithMetadata = ["namespaces/finalize", "namespaces/status", "resourcequotas/status"]

/// `RoleBinding shop/readers`, as an expression.
private let subject =
    "request.kind.kind + ' ' + (variables.namespace == '' ? '' : variables.namespace + '/') + variables.name"

/// Who may touch the break-glass annotation, on any object, and what it may hold.
private func markerValidations(_ settings: PreventionSettings) -> [Tree] {
    let isTouched = "!(\(PreventionExpressions.isDelete)) && variables.until != variables.oldUntil"
    let owner = settings.breakGlassGroup.map { "members of group \"\($0)\"" } ?? "nobody, as no group is named for it,"
    return [
        validation(
            "!(\(isTouched)) || variables.isBreakGlass",
            message: "only the break-glass group may set, change or remove \(Ownership.breakGlassAnnotation)",
            detail: "\(subject) + \(literal(": only \(owner) may set, change or remove the annotation "))"
                + " + \(literal(Ownership.breakGlassAnnotation))"),
        validation(
            "!(\(isTouched)) || variables.until == '' || variables.isUntilSound",
            message: "\(Ownership.breakGlassAnnotation) must hold a time in UTC, such as \(sampleMoment)",
            detail:
                "\(subject) + \(literal(": the annotation \(Ownership.breakGlassAnnotation) must hold a time in UTC"))"
                + " + \(literal(", such as \(sampleMoment)"))"),
    ]
}

/// Refuses what concerns the policy: to the break-glass group only where it does not say until when.
private func writeValidations(_ settings: PreventionSettings, what: String) -> [Tree] {
    let annotation = "the annotation \(Ownership.breakGlassAnnotation)"
    let way =
        settings.breakGlassGroup.map {
            "members of group \"\($0)\" may write it with \(annotation), such as \(sampleMoment)"
        } ?? "no group is named for it"
    return [
        validation(
            "!(variables.concerns && variables.isBreakGlass) || \(PreventionExpressions.isDelete)"
                + " || variables.isUntilSound",
            message: "break glass: say until when by the annotation \(Ownership.breakGlassAnnotation)",
            detail: "\(subject) + \(literal(" \(what). To break the glass, say in \(annotation) until when, in UTC,"))"
                + " + \(literal(" such as \(sampleMoment)"))"),
        validation(
            "!variables.concerns || variables.isBreakGlass",
            message: "change it by pull request in the policy repository",
            detail: "\(subject) + \(literal(" \(what): change it by pull request in the policy repository"))"
                + " + \(literal("; break glass: \(way)"))"),
    ]
}

private let sampleMoment = "2026-03-01T12:30:00Z"

/// - Parameters:
///   - message: What is said where the detail cannot be: for a name with a line feed, which the server refuses in both.
///     So no name from outside stands in it.
///   - detail: An expression that gives the whole message.
private func validation(_ expression: String, message: String, detail: String) -> Tree {
    [
        "expression": .string(expression), "message": .string(message), "messageExpression": .string(detail),
        "reason": "Forbidden",
    ]
}
