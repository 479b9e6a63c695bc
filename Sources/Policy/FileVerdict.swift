package import Manifest

/// One declaration of an object in a file.
package struct Declaration: Sendable {
    package var id: ObjectID
    package var origin: Origin
    package var position: SourcePosition
    /// Canonical, or nil where the object has errors.
    package var tree: Tree?

    package init(id: ObjectID, origin: Origin, position: SourcePosition, tree: Tree?) {
        self.id = id
        self.origin = origin
        self.position = position
        self.tree = tree
    }
}

/// What one file declares, and what is wrong with it.
package struct FileVerdict: Sendable {
    /// The path below the repository's root, with `/`.
    package var file: String
    /// In the order of the file, those with errors too.
    package var declarations: [Declaration]
    /// In the order of the file, at most ``ManifestLimits/findingsPerFile`` and one that counts the others.
    package var findings: [Finding]
    /// What the repository says about itself, where this file does.
    package var configuration: RepositoryConfiguration?

    package init(
        file: String, declarations: [Declaration] = [], findings: [Finding] = [],
        configuration: RepositoryConfiguration? = nil
    ) {
        self.file = file
        self.declarations = declarations
        self.findings = findings
        self.configuration = configuration
    }

    /// Whether the file as it stands refuses the revision.
    package var hasErrors: Bool { findings.contains { $0.severity == .error } }
}

extension Finding: Comparable {
    /// By place, errors before warnings; whole, so that a list of findings always has one order.
    package static func < (left: Finding, right: Finding) -> Bool {
        if !left.file.hasSameBytes(as: right.file) { return left.file.precedesByBytes(right.file) }
        if left.position != right.position { return left.position < right.position }
        if left.severity != right.severity { return left.severity < right.severity }
        let (leftPath, rightPath) = (left.path.description, right.path.description)
        if !leftPath.hasSameBytes(as: rightPath) { return leftPath.precedesByBytes(rightPath) }
        return left.message.precedesByBytes(right.message)
    }
}
