/// When another value of a flag can take effect in a process that goes on.
package enum FlagEffect: Sendable, Equatable, CaseIterable {
    /// Without anything being begun anew.
    case atOnce
    /// By ending what runs in an orderly way, and beginning it anew in the same process.
    case anew
    /// Not before the process is started again.
    case nextStart
}

/// What another configuration changes for a process that goes on.
package struct ConfigurationChange: Sendable, Equatable {
    /// The names of the flags whose values differ, by when that takes effect; each list is sorted.
    package private(set) var atOnce: [String] = []
    package private(set) var anew: [String] = []
    package private(set) var nextStart: [String] = []

    /// - Parameters:
    ///   - old: What the process runs with.
    ///   - new: What it would be started with now.
    ///   - effect: When another value of a flag takes effect.
    package init(from old: ParsedArguments, to new: ParsedArguments, effect: (String) -> FlagEffect) {
        for name in new.namesOfDifferences(from: old) {
            switch effect(name) {
            case .atOnce: atOnce.append(name)
            case .anew: anew.append(name)
            case .nextStart: nextStart.append(name)
            }
        }
    }

    /// Whether both are the same.
    package var isEmpty: Bool { takingEffect.isEmpty && nextStart.isEmpty }

    /// The names of those that take effect without another start, sorted.
    package var takingEffect: [String] { (atOnce + anew).sorted() }

    /// What the process is to go on with: the new values, but for those that only another start can bring.
    package func effective(from old: ParsedArguments, to new: ParsedArguments) -> ParsedArguments {
        var result = new
        for name in nextStart { result.take(name, from: old) }
        return result
    }
}
