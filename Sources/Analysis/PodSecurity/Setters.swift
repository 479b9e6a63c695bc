import Manifest

/// Who sets something that a control forbids: in upstream's words, and as fields.
struct Setters {
    private var setsPod = false
    private var containers: [String] = []
    /// Further setters in words, such as `annotations`.
    private var others: [String] = []
    private(set) var fields: [FieldPath] = []

    var isEmpty: Bool { fields.isEmpty }

    mutating func addPod(_ newFields: [FieldPath]) {
        setsPod = true
        fields += newFields
    }

    mutating func add(_ container: ContainerFacts, _ newFields: [FieldPath]) {
        containers.append(container.name)
        fields += newFields
    }

    mutating func add(_ other: String, _ newFields: [FieldPath]) {
        others.append(other)
        fields += newFields
    }

    /// As in `pod and containers "a", "b" and annotation`.
    var words: String {
        var parts = setsPod ? ["pod"] : []
        if !containers.isEmpty { parts.append(Wording.named("container", containers)) }
        return (parts + others).joined(separator: " and ")
    }

    /// The verb that fits the number of containers.
    func verb(_ singular: String, _ plural: String) -> String { containers.count == 1 ? singular : plural }
}
