package import Manifest

/// One declaration of an object in a file.
package struct Declaration: Sendable {
    package var id: ObjectID
    package var origin: Origin
    package var position: SourcePosition
    /// Canonical, or nil where the object has errors.
    package var tree: Tree?
    /// The same before the server's defaults were filled in, where there are any: what a patch changes, because a default
    /// may follow from what the patch says.
    package var written: Tree?
    /// The clusters that it is for; nil where it says nothing about them.
    package var selection: ClusterSelection?

    package init(
        id: ObjectID, origin: Origin, position: SourcePosition, tree: Tree?, written: Tree? = nil,
        selection: ClusterSelection? = nil
    ) {
        self.id = id
        self.origin = origin
        self.position = position
        self.tree = tree
        self.written = written
        self.selection = selection
    }
}

/// What one file declares, and what is wrong with it.
package struct FileVerdict: Sendable {
    /// The path below the repository's root, with `/`.
    package var file: String
    /// In the order of the file, those with errors too.
    package var declarations: [Declaration]
    /// What it changes of objects that other files declare, in the order of the file.
    package var patches: [PatchDeclaration]
    /// In the order of the file, at most ``ManifestLimits/findingsPerFile`` and one that counts the others.
    package var findings: [Finding]
    /// What the repository says about itself, where this file does.
    package var configuration: RepositoryConfiguration?
    /// Where the clusters of the configuration stand, in its order.
    package var clusterPositions: [SourcePosition] = []

    package init(
        file: String, declarations: [Declaration] = [], patches: [PatchDeclaration] = [], findings: [Finding] = [],
        configuration: RepositoryConfiguration? = nil
    ) {
        self.file = file
        self.declarations = declarations
        self.patches = patches
        self.findings = findings
        self.configuration = configuration
    }

    /// Whether the file as it stands refuses the revision.
    package var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// What its documents say about the clusters they are for.
    var selections: [(id: ObjectID, selection: ClusterSelection)] {
        declarations.compactMap { declaration in declaration.selection.map { (declaration.id, $0) } }
            + patches.compactMap { patch in patch.selection.map { (patch.id, $0) } }
    }
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
