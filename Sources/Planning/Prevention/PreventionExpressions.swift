import Manifest
import Policy

/// The variables of the policies, in the order in which they build on each other, and what is asked of them.
///
/// Every expression must hold for any object of the matched kinds: one that fails refuses the request, of whomever. So
/// no member is read before `has`, and what a policy does not need is not asked. Optional values (`.?`) would read
/// better; they are left out so that any evaluator of CEL can test what is here. `dyn` keeps the server's own type
/// check from warning that a Role has no `spec`.
enum PreventionExpressions {
    typealias Variable = (name: String, expression: String)

    static let isDelete = "request.operation == 'DELETE'"
    static let resource = "request.resource.resource"
    /// Whatever else such a request carries, the server keeps only the subresource itself and the metadata.
    private static let isOfSubresource = "has(request.subResource) && request.subResource != ''"

    /// Who asks, for what, and what would be different.
    static func request(_ settings: PreventionSettings) -> [Variable] {
        let until = literal(Ownership.breakGlassAnnotation)
        let ours = literals(["", settings.instance])
        return [
            ("user", "has(request.userInfo.username) ? request.userInfo.username : ''"),
            ("groups", "has(request.userInfo.groups) ? request.userInfo.groups : []"),
            ("next", "dyn(object) == null ? dyn({}) : dyn(object)"),
            ("previous", "dyn(oldObject) == null ? dyn({}) : dyn(oldObject)"),
            ("metadata", member("metadata", of: "variables.next", else: "{}")),
            ("oldMetadata", member("metadata", of: "variables.previous", else: "{}")),
            ("labels", member("labels", of: "variables.metadata", else: "{}")),
            ("oldLabels", member("labels", of: "variables.oldMetadata", else: "{}")),
            ("annotations", member("annotations", of: "variables.metadata", else: "{}")),
            ("oldAnnotations", member("annotations", of: "variables.oldMetadata", else: "{}")),
            ("subject", "\(isDelete) ? variables.oldMetadata : variables.metadata"),
            ("name", "has(variables.subject.name) ? variables.subject.name : ''"),
            // Not the request's: there a Namespace is in itself.
            ("namespace", "has(variables.subject.namespace) ? variables.subject.namespace : ''"),
            ("instance", entry(Ownership.instanceLabel, of: "variables.labels")),
            ("oldInstance", entry(Ownership.instanceLabel, of: "variables.oldLabels")),
            // On another instance's objects it means nothing to us; it counts from the moment the other marker goes.
            (
                "until",
                "variables.instance in \(ours) && \(until) in variables.annotations"
                    + " ? variables.annotations[\(until)] : ''"
            ),
            (
                "oldUntil",
                "variables.oldInstance in \(ours) && \(until) in variables.oldAnnotations"
                    + " ? variables.oldAnnotations[\(until)] : ''"
            ),
            ("isUntilSound", "variables.until.matches(\(literal(moment)))"),
            (
                "isExempt",
                anyOf([
                    isOne("variables.user", of: settings.exemptUsers),
                    settings.exemptGroups.isEmpty
                        ? "false" : "variables.groups.exists(g, g in \(literals(settings.exemptGroups)))",
                ])
            ),
            ("isBreakGlass", settings.breakGlassGroup.map { "\(literal($0)) in variables.groups" } ?? "false"),
            ("changedFields", changedKeys(from: "previous", to: "next", without: ["metadata", "status"])),
            ("changedAnnotations", changedKeys(from: "oldAnnotations", to: "annotations", without: [])),
            (
                "isMeaningKept",
                allOf([
                    "request.operation == 'UPDATE'", "variables.labels == variables.oldLabels",
                    "variables.changedAnnotations.all(k, k == \(until))", "variables.changedFields.size() == 0",
                ])
            ),
            ("gainsNoTie", allOf([gainsNone("ownerReferences"), gainsNone("finalizers")])),
            ("isQuiet", isQuiet),
            ("isControlPlane", anyOf(ControlPlane.writes)),
        ]
    }

    /// RFC 3339 in UTC, with days that the month has; the twenty-ninth of February passes in every year.
    private static let moment =
        "^[0-9]{4}-(02-(0[1-9]|[12][0-9])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
        + "|(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))"
        + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?Z$"

    /// An update that takes nothing from what the repository declares, so that anybody may make it.
    ///
    /// - Nothing changes but the server's bookkeeping: storage migration rewrites every object.
    /// - A finalizer or an owner goes. Whoever put one there must be able to take it away, or nothing is ever deleted;
    ///   a new one could block a deletion, or bring one about (rule F12).
    /// - Annotations of a Namespace, where controllers keep their notes; but every label of it counts, since selectors
    ///   and Pod Security read them. Annotations of a ServiceAccount count, since clouds grant rights by them.
    /// - The Secrets that a ServiceAccount names, which servers and image-pull controllers add: they grant nothing that
    ///   the namespace does not have, unless the annotation makes them a limit. What is declared of them is put right
    ///   as drift.
    /// - A status or the finalizers of a namespace's contents, which controllers write through subresources.
    private static let isQuiet = allOf([
        "request.operation == 'UPDATE'", "variables.gainsNoTie", "variables.labels == variables.oldLabels",
        "variables.changedAnnotations.all(k, k == \(literal(Ownership.breakGlassAnnotation))"
            + " || \(resource) == 'namespaces' && !k.startsWith('bylaw.dev/'))",
        anyOf([
            "variables.changedFields.size() == 0", isOfSubresource,
            allOf([
                "\(resource) == 'serviceaccounts'",
                "!('kubernetes.io/enforce-mountable-secrets' in variables.annotations)",
                "variables.changedFields.all(k, k in ['imagePullSecrets', 'secrets'])",
            ]),
        ]),
    ])

    /// Whether the request is about an undeclared object in a scope that is enforced.
    static func scope(_ settings: PreventionSettings) -> [Variable] {
        [
            (
                "namespaceLabels",
                "dyn(namespaceObject) != null && has(namespaceObject.metadata.labels)"
                    + " ? dyn(namespaceObject.metadata.labels) : dyn({})"
            ),
            (
                "isNamespaceDeclared",
                "(\(entry(Ownership.instanceLabel, of: "variables.namespaceLabels"))) == \(literal(settings.instance))"
            ),
            (
                "isInScope",
                anyOf([
                    isOne(resource, of: settings.refusedClusterKinds.map(\.plural)),
                    firstFit(settings.namespaceSelections),
                ])
            ),
            ("isExcluded", anyOf([isOwned] + settings.exclusions.map(isLike))),
        ]
    }

    /// Whether a controller keeps it, which nobody asks about either where it is there.
    private static let isOwned =
        "variables.namespace != '' && has(variables.metadata.ownerReferences)"
        + " && variables.metadata.ownerReferences.exists(o, has(o.controller) && o.controller)"

    private static func firstFit(_ selections: [NamespaceSelection]) -> String {
        selections.reversed().reduce("false") { rest, selection in
            var terms = [isOne(resource, of: selection.kinds.map(\.plural))]
            if let names = selection.names { terms.append(fits("variables.namespace", names)) }
            if let labels = selection.labels {
                // Labels of a namespace that nobody declares may be anybody's: by them nothing is refused that would not be
                // without them, as nothing is removed.
                let isVouchedFor = labels.requirements.allSatisfy { $0.key == ScopedNamespace.nameLabel }
                let fits = fits("variables.namespaceLabels", labels)
                switch (isVouchedFor, selection.isEnforced) {
                case (true, _): terms.append(fits)
                case (false, true): terms += ["variables.isNamespaceDeclared", fits]
                case (false, false): terms.append(anyOf(["!variables.isNamespaceDeclared", fits]))
                }
            }
            return "\(allOf(terms)) ? \(selection.isEnforced) : (\(rest))"
        }
    }

    private static func isLike(_ pattern: ObjectPattern) -> String {
        var terms: [String] = []
        if let kinds = pattern.kinds { terms.append(isOne(resource, of: kinds.map(\.plural))) }
        if let names = pattern.names { terms.append(fits("variables.name", names)) }
        if let namespaces = pattern.namespaces {
            terms.append("variables.namespace != ''")
            terms.append(fits("variables.namespace", namespaces))
        }
        if let labels = pattern.labels { terms.append(fits("variables.labels", labels)) }
        if let kinds = pattern.ownerKinds {
            terms.append(
                "has(variables.metadata.ownerReferences)"
                    + " && variables.metadata.ownerReferences.exists(o, \(isOne("o.kind", of: kinds)))")
        }
        return allOf(terms)
    }

    /// A member of a map, or an empty value.
    private static func member(_ name: String, of map: String, else empty: String) -> String {
        "has(\(map).\(name)) ? \(map).\(name) : dyn(\(empty))"
    }

    /// The value of a key, or an empty text.
    private static func entry(_ key: String, of map: String) -> String {
        "\(literal(key)) in \(map) ? \(map)[\(literal(key))] : ''"
    }

    /// The keys of two maps whose values differ; whichever members later servers add, they are seen.
    private static func changedKeys(from old: String, to new: String, without ignored: [String]) -> String {
        let old = "variables.\(old)"
        let new = "variables.\(new)"
        let counts = ignored.isEmpty ? "" : "!(k in \(literals(ignored))) && "
        return "\(new).filter(k, \(counts)(!(k in \(old)) || \(new)[k] != \(old)[k]))"
            + " + \(old).filter(k, \(counts)!(k in \(new)))"
    }

    /// Whether a list of the metadata holds nothing that it did not hold before.
    private static func gainsNone(_ list: String) -> String {
        "!has(variables.metadata.\(list)) || has(variables.oldMetadata.\(list))"
            + " && variables.metadata.\(list).all(e, e in variables.oldMetadata.\(list))"
    }
}

extension PreventionSettings {
    /// The cluster-wide kinds that can be refused: a Namespace is never undeclared.
    var refusedClusterKinds: [Resource] {
        enforcedClusterKinds.filter { !$0.isNamespaced && $0 != .namespace && Resource.managed.contains($0) }
    }

    /// The selections that say something: namespaced kinds of ours, and no exceptions from nothing at the end.
    var namespaceSelections: [NamespaceSelection] {
        var selections = enforcedNamespaces.map { selection in
            var copy = selection
            copy.kinds = selection.kinds.filter { $0.isNamespaced && Resource.managed.contains($0) }
            return copy
        }.filter { !$0.kinds.isEmpty }
        while let last = selections.last, !last.isEnforced { selections.removeLast() }
        return selections
    }
}
