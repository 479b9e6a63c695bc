/// A JSON value as Kubernetes and YAML manifests hold it.
///
/// Equality is by meaning as the API server sees it, which is stricter than Swift's: strings compare by their UTF-8
/// bytes (two spellings of "é" are two RBAC users), `true` never equals `1`, and `80` never equals `"80"` (rule E9).
/// The members of an object have no order.
package enum Tree: Sendable {
    case null
    case bool(Bool)
    /// Every whole number that fits.
    case integer(Int64)
    /// Only whole numbers above `Int64.max`.
    case unsigned(UInt64)
    /// Only finite numbers; a number written with a fraction or an exponent, or beyond 64 bits.
    case double(Double)
    case string(String)
    case array([Tree])
    case object(Members)
}

extension Tree {
    /// The member of an object, or nil where there is none or this is no object.
    package subscript(key: String) -> Tree? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The value at the end of a chain of object members.
    package subscript(keys: [String]) -> Tree? {
        var current = self
        for key in keys {
            guard let next = current[key] else { return nil }
            current = next
        }
        return current
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var array: [Tree]? { if case .array(let value) = self { value } else { nil } }
    package var members: Members? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The word a message uses for this kind of value.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .unsigned, .double: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "a map"
        }
    }

    /// Sets or, with nil, removes what stands at the end of a chain of members, making the maps on the way.
    ///
    /// Where something else than a map stands on the way it is replaced by a map.
    package mutating func set(_ keys: [String], to value: Tree?) {
        guard let first = keys.first else {
            if let value { self = value }
            return
        }
        var members = self.members ?? Members()
        if keys.count == 1 {
            members[first] = value
        } else {
            if value == nil && members[first] == nil { return }
            var child = members[first] ?? .object(Members())
            child.set(Array(keys.dropFirst()), to: value)
            members[first] = child
        }
        self = .object(members)
    }
}

extension Tree: Hashable {
    package static func == (left: Tree, right: Tree) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.unsigned(let left), .unsigned(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(value)
        case .unsigned(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

// Not by `nil`: where a `Tree?` is wanted, `condition ? nil : tree` would be a null and not an absence.
extension Tree: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(arrayLiteral elements: Tree...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, Tree)...) { self = .object(Members(elements)) }
}

extension String {
    /// Whether two strings are the same bytes; Swift's `==` also holds for canonically equivalent text.
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return compareBytes(self, other) { left, right in
            for index in 0..<left.count where left[index] != right[index] { return false }
            return true
        } ?? utf8.elementsEqual(other.utf8)
    }

    /// Order by UTF-8 bytes, which is the order of canonical JSON and of Kubernetes' own lists.
    package func precedesByBytes(_ other: String) -> Bool {
        compareBytes(self, other) { left, right in
            for index in 0..<min(left.count, right.count) where left[index] != right[index] {
                return left[index] < right[index]
            }
            return left.count < right.count
        } ?? utf8.lexicographicallyPrecedes(other.utf8)
    }
}

/// Looks at the bytes of two texts where they lie; nil where one of them is not stored as UTF-8.
///
/// Comparing keys is a good part of reading manifests, and going through the views costs several times as much.
@inline(__always)
private func compareBytes(
    _ left: String, _ right: String, _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
) -> Bool? {
    left.utf8.withContiguousStorageIfAvailable { left in
        right.utf8.withContiguousStorageIfAvailable { right in body(left, right) }
    } ?? nil
}
