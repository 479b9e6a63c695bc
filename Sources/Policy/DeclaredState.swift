package import Manifest

/// Where in the repository an object is declared.
package struct Origin: Sendable, Hashable {
    /// The path below the repository's root, with `/`.
    package var file: String
    package var line: Int

    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    package var description: String { "\(file):\(line)" }
}

/// An object as a revision declares it, in the canonical form that is sent to the server and compared with it.
package struct DeclaredObject: Sendable {
    package var id: ObjectID
    /// Canonical: the server's defaults filled in, values in the server's own spelling, nulls and the server's own
    /// fields removed (rules D12, D19, D25, E7), so that applying it once and comparing it again shows no difference.
    package var tree: Tree
    package var origin: Origin

    package init(id: ObjectID, tree: Tree, origin: Origin) {
        self.id = id
        self.tree = tree
        self.origin = origin
    }
}

/// Everything that one revision declares.
package struct DeclaredState: Sendable {
    package var objects: [ObjectID: DeclaredObject]
    package var configuration: RepositoryConfiguration
    /// The one of many clusters that it is for; nil where the repository is for one.
    package var cluster: String?

    package init(
        objects: [ObjectID: DeclaredObject] = [:], configuration: RepositoryConfiguration = .standard,
        cluster: String? = nil
    ) {
        self.objects = objects
        self.configuration = configuration
        self.cluster = cluster
    }
}

/// Something in a file that a person has to look at.
package struct Finding: Sendable, Hashable {
    package enum Severity: String, Sendable, Comparable, CaseIterable {
        /// The revision is refused.
        case error
        /// The revision is accepted, but it may not mean what its author thinks.
        case warning

        package static func < (left: Severity, right: Severity) -> Bool { left == .error && right == .warning }
    }

    package var severity: Severity
    package var file: String
    package var position: SourcePosition
    /// The object it is about, as far as that could be read.
    package var object: ObjectID?
    /// Empty where it is about the document or the file as a whole.
    package var path: FieldPath
    /// What is wrong, one sentence without a full stop.
    package var message: String
    /// What to do next, one sentence.
    package var hint: String

    package init(
        severity: Severity, file: String, position: SourcePosition, object: ObjectID?, path: FieldPath,
        message: String, hint: String
    ) {
        self.severity = severity
        self.file = file
        self.position = position
        self.object = object
        self.path = path
        self.message = message
        self.hint = hint
    }
}
