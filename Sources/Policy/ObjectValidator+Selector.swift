import Manifest

extension ObjectValidator {
    mutating func validateSelector(_ selector: Tree, at path: FieldPath) {
        validateLabels(selector["matchLabels"], at: path.field("matchLabels"))
        for (requirement, path) in Self.elements(selector["matchExpressions"], at: path.field("matchExpressions")) {
            validateRequirement(requirement, at: path)
        }
    }

    private mutating func validateRequirement(_ requirement: Tree, at path: FieldPath) {
        let values = Self.elements(requirement["values"], at: path.field("values"))
        let known = ["In", "NotIn", "Exists", "DoesNotExist"]
        switch requirement["operator"]?.string ?? "" {
        case "In", "NotIn":
            if values.isEmpty {
                problems.required(
                    path.field("values"), "must be specified when `operator` is 'In' or 'NotIn'",
                    hint: "List the values, or use Exists or DoesNotExist.")
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                problems.forbidden(
                    path.field("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    hint: "Delete the values, or use In or NotIn.")
            }
        case let other:
            problems.invalid(
                path.field("operator"), other, "not a valid selector operator",
                hint: "Write \(nearest(to: other, among: known) ?? "In, NotIn, Exists or DoesNotExist").")
        }
        validateLabelKey(requirement["key"]?.string ?? "", at: path.field("key"))
        for (value, path) in values { validateLabelValue(value.string ?? "", at: path) }
    }
}
