import Manifest

extension ObjectValidator {
    private static let limitTypes = ["Pod", "Container", "PersistentVolumeClaim"]

    mutating func validateLimitRange() {
        var seen: Set<String> = []
        for (limit, path) in Self.elements(tree["spec"]?["limits"], at: .spec.field("limits")) {
            let type = limit["type"]?.string ?? ""
            validateLimitType(type, at: path.field("type"))
            if !seen.insert(type).inserted {
                problems.duplicate(path.field("type"), type, hint: "Put all limits of one type into one entry.")
            }
            validateLimit(Limit(limit), type: type, at: path)
        }
    }

    private mutating func validateLimitType(_ type: String, at path: FieldPath) {
        var details = Names.qualifiedNameProblems(type)
        if details.isEmpty, !type.contains("/"), !Self.limitTypes.contains(type) {
            details = ["must be a standard limit type or fully qualified"]
        }
        let near = nearest(to: type, among: Self.limitTypes)
        for detail in details {
            problems.invalid(path, type, detail, hint: "Write \(near ?? "Pod, Container or PersistentVolumeClaim").")
        }
    }

    /// The five maps of one limit.
    private struct Limit {
        static let names = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
        var maps: [String: [String: Quantity]] = [:]

        init(_ tree: Tree) {
            for name in Self.names {
                var map: [String: Quantity] = [:]
                for (key, value) in tree[name]?.members ?? Members() {
                    if let text = value.string, let quantity = Quantity(text) { map[key] = quantity }
                }
                maps[name] = map
            }
        }

        subscript(name: String, resource: String) -> Quantity? { maps[name]?[resource] }
        func names(in map: String) -> [String] { (maps[map] ?? [:]).keys.sorted() }
        var resources: [String] { Set(maps.values.flatMap(\.keys)).sorted() }
    }

    private mutating func validateLimit(_ given: Limit, type: String, at path: FieldPath) {
        var limit = given
        if type == "Pod" {
            for name in ["default", "defaultRequest"] {
                if !limit.names(in: name).isEmpty {
                    problems.forbidden(
                        path.field(name), "may not be specified when `type` is 'Pod'",
                        hint: "Move it to an entry of the type Container.")
                }
                limit.maps[name] = nil
            }
        }
        for map in Limit.names {
            for name in limit.names(in: map) {
                let details =
                    type == "Pod" || type == "Container"
                    ? ResourceNames.containerProblems(name) : ResourceNames.problems(name)
                for detail in details {
                    problems.invalid(
                        path.field(map).key(name), name, detail,
                        hint: "Write a resource that a \(type == "Pod" ? "pod" : "container") can ask for, as in cpu.")
                }
            }
        }
        if type == "PersistentVolumeClaim", limit["min", "storage"] == nil, limit["max", "storage"] == nil {
            problems.required(
                path.field("limits"),
                "either minimum or maximum storage value is required, but neither was provided",
                hint: "Write min or max with the key storage.")
        }
        for name in limit.resources { validateOrder(of: limit, resource: name, at: path) }
    }

    /// min ≤ defaultRequest ≤ default ≤ max, as far as they are given.
    private mutating func validateOrder(of limit: Limit, resource: String, at path: FieldPath) {
        let pairs = [
            ("min", "max", "min value", "max value", "min"),
            ("min", "defaultRequest", "min value", "default request value", "defaultRequest"),
            ("defaultRequest", "max", "default request value", "max value", "defaultRequest"),
            ("defaultRequest", "default", "default request value", "default limit value", "defaultRequest"),
            ("min", "default", "min value", "default value", "default"),
            ("default", "max", "default value", "max value", "default"),
        ]
        for (low, high, lowWords, highWords, blamed) in pairs {
            guard let lower = limit[low, resource], let upper = limit[high, resource], lower > upper else { continue }
            problems.invalid(
                path.field(blamed).key(resource), (limit[blamed, resource] ?? lower).description,
                "\(lowWords) \(lower) is greater than \(highWords) \(upper)",
                hint: "Lower \(low) or raise \(high); what is not written is filled in from the others.")
        }
        validateRatio(of: limit, resource: resource, at: path)
        guard !ResourceNames.allowsOvercommit(resource), let usual = limit["default", resource],
            let request = limit["defaultRequest", resource], usual != request
        else { return }
        problems.invalid(
            path.field("defaultRequest").key(resource), request.description,
            "default value \(usual) must equal to defaultRequest value \(request) in \(resource)",
            hint: "Write the same quantity in both.")
    }

    private mutating func validateRatio(of limit: Limit, resource: String, at path: FieldPath) {
        guard let ratio = limit["maxLimitRequestRatio", resource] else { return }
        let path = path.field("maxLimitRequestRatio").key(resource)
        if ratio < .one {
            problems.invalid(path, ratio.description, "ratio \(ratio) is less than 1", hint: "Write at least 1.")
        }
        guard let least = limit["min", resource], let most = limit["max", resource] else { return }
        let largest = most.approximateValue / least.approximateValue
        guard ratio.approximateValue > largest else { return }
        problems.invalid(
            path, ratio.description, "ratio \(ratio) is greater than max/min = \(largest)",
            hint: "Lower the ratio, or widen min and max.")
    }
}
