/// The members of a JSON object, kept in the byte order of their keys.
///
/// One order makes equality, hashing and canonical JSON fall out of the representation; the order in the source text
/// has no meaning and is not kept. A look-up is a binary search.
package struct Members: Sendable {
    package typealias Element = (key: String, value: Tree)

    private var storage: [Element] = []

    package init() {}

    /// Takes pairs in any order; of several with one key the last stays.
    package init(_ pairs: some Sequence<(String, Tree)>) {
        storage.reserveCapacity(pairs.underestimatedCount)
        var isSorted = true
        for (key, value) in pairs {
            if isSorted, let last = storage.last, !last.key.precedesByBytes(key) { isSorted = false }
            storage.append((key, value))
        }
        guard !isSorted else { return }
        // Equal keys keep their order, so that the last of them can win.
        let order = storage.indices.sorted { left, right in
            if storage[left].key.precedesByBytes(storage[right].key) { return true }
            return left < right && storage[left].key.hasSameBytes(as: storage[right].key)
        }
        var sorted: [Element] = []
        sorted.reserveCapacity(storage.count)
        for index in order {
            if let last = sorted.last, last.key.hasSameBytes(as: storage[index].key) { sorted.removeLast() }
            sorted.append(storage[index])
        }
        storage = sorted
    }

    package var keys: [String] { storage.map(\.key) }

    package subscript(key: String) -> Tree? {
        get {
            let index = lowerBound(of: key)
            guard index < storage.count, storage[index].key.hasSameBytes(as: key) else { return nil }
            return storage[index].value
        }
        set {
            let index = lowerBound(of: key)
            let isPresent = index < storage.count && storage[index].key.hasSameBytes(as: key)
            switch (newValue, isPresent) {
            case (let value?, true): storage[index].value = value
            case (let value?, false): storage.insert((key, value), at: index)
            case (nil, true): storage.remove(at: index)
            case (nil, false): break
            }
        }
    }

    private func lowerBound(of key: String) -> Int {
        var low = 0
        var high = storage.count
        while low < high {
            let middle = (low + high) / 2
            if storage[middle].key.precedesByBytes(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Members: RandomAccessCollection {
    package var startIndex: Int { storage.startIndex }
    package var endIndex: Int { storage.endIndex }
    package subscript(position: Int) -> Element { storage[position] }
}

extension Members: Hashable {
    package static func == (left: Members, right: Members) -> Bool {
        left.storage.count == right.storage.count
            && (left.sharesStorage(with: right)
                || zip(left.storage, right.storage).allSatisfy {
                    $0.key.hasSameBytes(as: $1.key) && $0.value == $1.value
                })
    }

    /// Whether both are copies of one value, so that nothing has to be compared: most objects of two revisions are.
    private func sharesStorage(with other: Members) -> Bool {
        storage.withUnsafeBufferPointer { left in
            other.storage.withUnsafeBufferPointer { $0.baseAddress == left.baseAddress }
        }
    }

    package func hash(into hasher: inout Hasher) {
        for (key, value) in storage {
            hasher.combine(key)
            hasher.combine(value)
        }
    }
}
