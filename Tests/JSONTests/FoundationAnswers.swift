import Foundation
import Manifest

/// What Foundation reads out of a text, or nil where it refuses it.
func foundationRead(_ bytes: [UInt8]) -> Any? {
    try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
}

/// The value in the form that Foundation writes.
func foundationValue(_ tree: Tree) -> Any {
    switch tree {
    case .null: NSNull()
    case .bool(let value): value
    case .integer(let value): value
    case .unsigned(let value): value
    case .double(let value): value
    case .string(let value): value
    case .array(let elements): elements.map(foundationValue)
    case .object(let members):
        [String: Any](members.map { ($0.key, foundationValue($0.value)) }, uniquingKeysWith: { _, last in last })
    }
}

/// Whether two readers took the same meaning from a text.
///
/// Foundation gives numbers beyond 64 bits, and the smallest of them, as decimals that round a little.
func agree(_ tree: Tree, _ value: Any) -> Bool {
    switch (tree, value) {
    case (.null, is NSNull): true
    case (.string(let left), let right as String): left.hasSameBytes(as: right)
    case (.array(let left), let right as [Any]):
        left.count == right.count && zip(left, right).allSatisfy { agree($0, $1) }
    case (.object(let left), let right as [String: Any]):
        left.count == right.count && left.allSatisfy { key, value in right[key].map { agree(value, $0) } ?? false }
    case (_, let right as NSNumber):
        switch (tree, String(cString: right.objCType)) {
        case (.bool(let left), "c"): left == right.boolValue
        case (.integer(let left), "i"), (.integer(let left), "q"): left == right.int64Value
        case (.integer(let left), "d"): right is NSDecimalNumber && right.stringValue == String(left)
        case (.unsigned(let left), "Q"): left == right.uint64Value
        case (.double(let left), "d"):
            left == right.doubleValue || right is NSDecimalNumber && abs(left / right.doubleValue - 1) < 1e-12
        default: false
        }
    default: false
    }
}
