/// A command as its user sees it: what it does, what it takes, how it ends.
package struct CommandDescription: Sendable {
    /// The words that call it, such as `journal list`.
    package var name: String
    /// One line for the list of commands.
    package var summary: String
    /// What it does, in full sentences.
    package var details: String
    package var positionals: [PositionalDescription]
    package var flags: [FlagDescription]
    package var examples: [String]
    /// What each exit status means.
    package var exitStatuses: [(status: Int32, meaning: String)]

    package init(
        name: String, summary: String, details: String = "", positionals: [PositionalDescription] = [],
        flags: [FlagDescription] = [], examples: [String] = [],
        exitStatuses: [(status: Int32, meaning: String)] = [(0, "all is well"), (2, "an error")]
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.positionals = positionals
        self.flags = flags
        self.examples = examples
        self.exitStatuses = exitStatuses
    }
}

/// A word that a command takes without a flag.
package struct PositionalDescription: Sendable {
    package var name: String
    package var isRequired: Bool
    /// Whether several words may stand there; only the last one of a command may be so.
    package var isRepeatable: Bool

    package init(name: String, isRequired: Bool, isRepeatable: Bool = false) {
        self.name = name
        self.isRequired = isRequired
        self.isRepeatable = isRepeatable
    }
}

/// A flag: `--name VALUE`, or `--name` alone where it takes no value.
package struct FlagDescription: Sendable {
    /// What a flag's value has to be.
    package enum Kind: Sendable, Equatable {
        case isSet
        case text
        case number(ClosedRange<Int>)
        /// Such as `15s`, `5m`, `1h30m` or `500ms`; never zero.
        case duration
        case choice([String])
    }

    /// Without the dashes.
    package var name: String
    package var shortName: Character?
    package var kind: Kind
    /// What the value is called in the help.
    package var valueName: String
    package var summary: String
    /// Shown in the help, and the value where nobody gives one.
    package var defaultValue: String?
    package var isRepeatable: Bool
    /// Flags of one group exclude each other: a stronger source's choice sets a weaker one's aside.
    package var group: String?
    /// Whether neither the environment nor the file gives it: what is asked for once must not stand there for ever.
    package var isForCommandLineOnly: Bool

    package init(
        _ name: String, short: Character? = nil, _ kind: Kind, valueName: String = "", _ summary: String,
        default defaultValue: String? = nil, isRepeatable: Bool = false, group: String? = nil,
        isForCommandLineOnly: Bool = false
    ) {
        self.name = name
        shortName = short
        self.kind = kind
        self.valueName = valueName
        self.summary = summary
        self.defaultValue = defaultValue
        self.isRepeatable = isRepeatable
        self.group = group
        self.isForCommandLineOnly = isForCommandLineOnly
    }

    /// The variable of the environment that gives the value where no flag does, such as `BYLAW_GIT_TOKEN_FILE`.
    package var environmentName: String {
        "BYLAW_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
