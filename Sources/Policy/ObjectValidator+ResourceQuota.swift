import Manifest

extension ObjectValidator {
    private static let scopes = [
        "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
    ]
    private static let scopesThatExist: Set<String> = [
        "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity",
    ]

    mutating func validateResourceQuota() {
        let spec = tree["spec"] ?? [:]
        let hard = spec["hard"]?.members ?? Members()
        for (name, value) in hard { validateHard(name, value, at: .spec.field("hard").key(name)) }
        let resources = hard.keys.filter(ResourceNames.isQuota)
        validateScopes(spec["scopes"]?.strings ?? [], resources: resources)
        if let selector = spec["scopeSelector"] { validateScopeSelector(selector, resources: resources) }
    }

    private mutating func validateHard(_ name: String, _ value: Tree, at path: FieldPath) {
        for detail in ResourceNames.quotaProblems(name) {
            let near = nearest(to: name, among: ResourceNames.quota.sorted())
            problems.invalid(
                path, name, detail,
                hint: near.map { "Did you mean \($0)?" }
                    ?? "Write a known resource, or count/plural.group for a number of objects.")
        }
        guard let text = value.string, let quantity = Quantity(text) else { return }
        if quantity.isNegative {
            problems.invalid(path, text, "must be greater than or equal to 0", hint: "Write a quantity of at least 0.")
        }
        if !quantity.isWhole, ResourceNames.isInteger(name) {
            problems.invalid(path, text, "must be an integer", hint: "Write a whole number.")
        }
    }

    private mutating func validateScopes(_ scopes: [String], resources: [String]) {
        let path = FieldPath.spec.field("scopes")
        let text = scopes.joined(separator: ", ")
        for (index, scope) in scopes.enumerated() {
            if !Self.scopes.contains(scope) {
                problems.invalid(
                    path, text, "unsupported scope", hint: Self.scopeHint(scope), place: path.index(index))
            }
            reportMisplaced(resources, in: scope, at: path, text: text)
        }
        reportConflicts(among: scopes, at: path, text: text)
    }

    private static func scopeHint(_ scope: String) -> String {
        "Write \(nearest(to: scope, among: scopes) ?? "one of \(scopes.joined(separator: ", "))")."
    }

    private mutating func reportMisplaced(_ resources: [String], in scope: String, at path: FieldPath, text: String) {
        for resource in resources where !ResourceNames.isAllowed(resource, in: scope) {
            problems.invalid(
                path, text, "unsupported scope applied to resource",
                hint: "Move \(resource) to a quota without the scope \(scope).",
                place: .spec.field("hard").key(resource))
        }
    }

    private mutating func reportConflicts(among scopes: [String], at path: FieldPath, text: String) {
        for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")]
        where scopes.contains(one) && scopes.contains(other) {
            problems.invalid(path, text, "conflicting scopes", hint: "Keep either \(one) or \(other).")
        }
    }

    /// The paths have no index here, as on the server; the places do.
    private mutating func validateScopeSelector(_ selector: Tree, resources: [String]) {
        let path = FieldPath.spec.field("scopeSelector").field("matchExpressions")
        var seen: [String] = []
        for (requirement, place) in Self.elements(selector["matchExpressions"], at: path) {
            let scope = requirement["scopeName"]?.string ?? ""
            seen.append(scope)
            if !Self.scopes.contains(scope) {
                problems.invalid(
                    path.field("scopeName"), scope, "unsupported scope", hint: Self.scopeHint(scope),
                    place: place.field("scopeName"))
            }
            reportMisplaced(resources, in: scope, at: path, text: scope)
            validateScopeOperator(requirement, scope: scope, at: path, place: place)
        }
        reportConflicts(among: seen, at: path, text: seen.joined(separator: ", "))
    }

    private mutating func validateScopeOperator(
        _ requirement: Tree, scope: String, at path: FieldPath, place: FieldPath
    ) {
        let operation = requirement["operator"]?.string ?? ""
        let values = requirement["values"]?.strings ?? []
        let (path, place) = (path.field("operator"), place.field("operator"))
        if Self.scopesThatExist.contains(scope), operation != "Exists" {
            problems.invalid(
                path, operation, "must be 'Exists' when scope is \(scope)", hint: "Write Exists.", place: place)
        }
        let valuesPath = FieldPath.spec.field("scopeSelector").field("matchExpressions").field("values")
        switch operation {
        case "In", "NotIn":
            guard values.isEmpty else { return }
            problems.required(
                valuesPath, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
                hint: "List the values.")
        case "Exists", "DoesNotExist":
            guard !values.isEmpty else { return }
            problems.invalid(
                valuesPath, values.joined(separator: ", "),
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
                hint: "Delete the values.", place: place)
        default:
            problems.invalid(
                path, operation, "not a valid selector operator", hint: "Write In, NotIn, Exists or DoesNotExist.",
                place: place)
        }
    }
}
