package import Manifest

/// Names, where `*` stands for any text.
///
/// Compared by bytes, as the API server tells names apart.
package struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    package var description: String
    private let parts: [[UInt8]]

    package init(_ text: String) {
        description = text
        parts = Array(text.utf8).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    package func matches(_ name: String) -> Bool {
        var rest = Array(name.utf8)[...]
        guard let first = parts.first, let last = parts.last, rest.starts(with: first) else { return false }
        guard parts.count > 1 else { return rest.count == first.count }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            guard let found = position(of: part, in: rest) else { return false }
            rest = rest[(found + part.count)...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    /// The name, where the pattern is one and stands for nothing else.
    package var exactName: String? { parts.count == 1 ? description : nil }

    private func position(of part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard !part.isEmpty else { return bytes.startIndex }
        return bytes.indices.first { bytes[$0...].starts(with: part) }
    }
}

/// Objects that have something in common; everything that is given must fit.
package struct ObjectPattern: Sendable, Hashable {
    /// Nil: of every kind.
    package var kinds: Set<Resource>?
    /// Nil: of every name.
    package var names: [NamePattern]?
    /// Nil: in every namespace, and of the whole cluster.
    package var namespaces: [NamePattern]?
    package var labels: LabelSelector?
    /// The kinds of an owner, one of which is enough.
    package var ownerKinds: Set<String>?

    package init(
        kinds: Set<Resource>? = nil, names: [NamePattern]? = nil, namespaces: [NamePattern]? = nil,
        labels: LabelSelector? = nil, ownerKinds: Set<String>? = nil
    ) {
        self.kinds = kinds
        self.names = names
        self.namespaces = namespaces
        self.labels = labels
        self.ownerKinds = ownerKinds
    }

    /// Whether it can be told from the name alone.
    package var isOfNames: Bool { labels == nil && ownerKinds == nil }

    package func matches(_ id: ObjectID) -> Bool {
        guard isOfNames else { return false }
        return matchesName(id)
    }

    package func matches(_ object: LiveObject) -> Bool {
        guard matchesName(object.id) else { return false }
        if let labels, !labels.matches(Labels(object.metadata["labels"])) { return false }
        guard let ownerKinds else { return true }
        return (object.metadata["ownerReferences"]?.array ?? []).contains { owner in
            owner["kind"]?.string.map(ownerKinds.contains) ?? false
        }
    }

    private func matchesName(_ id: ObjectID) -> Bool {
        if let kinds, id.resource.map(kinds.contains) != true { return false }
        if let names, !names.contains(where: { $0.matches(id.name) }) { return false }
        // The objects of a namespace, and the namespace itself.
        if let namespaces, id.scopeNamespace.isEmpty || !namespaces.contains(where: { $0.matches(id.scopeNamespace) }) {
            return false
        }
        return true
    }
}
