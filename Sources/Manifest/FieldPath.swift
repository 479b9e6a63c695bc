/// Where a value stands in an object, written as the API server writes it: `spec.ingress[0].from[1].ipBlock.cidr`.
package struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    package enum Step: Hashable, Sendable {
        /// A field with a fixed name.
        case field(String)
        /// A key of a map with free keys, such as a label's.
        case key(String)
        case index(Int)
    }

    package var steps: [Step]

    package init(_ steps: [Step] = []) { self.steps = steps }

    package static let root = FieldPath()

    package func field(_ name: String) -> FieldPath { FieldPath(steps + [.field(name)]) }
    package func key(_ name: String) -> FieldPath { FieldPath(steps + [.key(name)]) }
    package func index(_ index: Int) -> FieldPath { FieldPath(steps + [.index(index)]) }

    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .field(let name): text += text.isEmpty ? name : ".\(name)"
            case .key(let name): text += "[\(name)]"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}
