package import Manifest

/// The annotations by which a manifest says what it is to the clusters of a repository for many.
///
/// They are Bylaw's to read and never reach a cluster.
enum ClusterAnnotations {
    /// With the value `merge`: the document changes the object of an earlier folder.
    static let patch = "bylaw.dev/patch"
    /// Names of clusters with `*` for any text, separated by commas.
    static let clusters = "bylaw.dev/clusters"
    /// A label selector in kubectl's form.
    static let selector = "bylaw.dev/cluster-selector"
    static let all = [patch, clusters, selector]

    /// What the manifest says beside them.
    static func stripped(_ tree: Tree) -> Tree {
        guard let annotations = tree["metadata"]?["annotations"]?.members,
            all.contains(where: { annotations[$0] != nil })
        else { return tree }
        var kept = annotations
        for name in all { kept[name] = nil }
        var tree = tree
        tree.set(["metadata", "annotations"], to: kept.isEmpty ? Optional<Tree>.none : .object(kept))
        return tree
    }
}

/// For which clusters a document of a manifest is; everything that is given must fit.
package struct ClusterSelection: Sendable, Hashable {
    /// Nil: of every name.
    package var names: [NamePattern]?
    /// Nil: whatever its labels.
    package var labels: LabelSelector?
    /// Where it is written.
    package var position: SourcePosition

    package init(names: [NamePattern]? = nil, labels: LabelSelector? = nil, position: SourcePosition) {
        self.names = names
        self.labels = labels
        self.position = position
    }

    package func matches(_ cluster: ClusterDeclaration) -> Bool {
        if let names, !names.contains(where: { $0.matches(cluster.name) }) { return false }
        return labels?.matches(cluster.labels) ?? true
    }

    /// The annotation that a finding about it is about.
    var path: FieldPath { .annotation(names == nil ? ClusterAnnotations.selector : ClusterAnnotations.clusters) }
}

/// Reads what a document says about the clusters it is for.
///
/// - Parameter position: Where a path of the document stands in its file.
/// - Returns: Nil where it says nothing, or nothing that can be read, which is a problem then.
func readClusterSelection(
    _ source: Tree, _ problems: inout Problems, position: (FieldPath) -> SourcePosition
) -> ClusterSelection? {
    guard let annotations = source["metadata"]?["annotations"]?.members else { return nil }
    let names = annotations[ClusterAnnotations.clusters].flatMap { readNames($0, &problems) }
    let labels = annotations[ClusterAnnotations.selector].flatMap { readLabels($0, &problems) }
    guard names != nil || labels != nil else { return nil }
    var selection = ClusterSelection(
        names: names, labels: labels, position: SourcePosition(line: 1, column: 1))
    selection.position = position(selection.path)
    return selection
}

private func readNames(_ value: Tree, _ problems: inout Problems) -> [NamePattern]? {
    let path = FieldPath.annotation(ClusterAnnotations.clusters)
    guard let text = text(value, at: path, &problems) else { return nil }
    let names = text.split(separator: ",", omittingEmptySubsequences: false)
        .map { String($0).trimmingSpaces }
    for name in names {
        let word = name.replacing("*", with: "a")
        guard name.isEmpty || !Names.subdomainProblems(word).isEmpty else { continue }
        problems.invalid(
            path, text, "\(quoted(name)) is no name of a cluster",
            hint: "List names of clusters with commas between them, with * for any text, as in eu-*,us.")
        return nil
    }
    return names.map(NamePattern.init)
}

private func readLabels(_ value: Tree, _ problems: inout Problems) -> LabelSelector? {
    let path = FieldPath.annotation(ClusterAnnotations.selector)
    guard let text = text(value, at: path, &problems) else { return nil }
    do throws(SelectorMistake) {
        return try LabelSelector(parsing: text)
    } catch {
        problems.invalid(
            path, text, error.message, hint: "Write it as for kubectl -l, as in region=eu,tier!=dev,env in (a,b),!edge."
        )
        return nil
    }
}

/// Without a value the annotation would be left out, and the object would be for every cluster.
private func text(_ value: Tree, at path: FieldPath, _ problems: inout Problems) -> String? {
    if let text = value.string, !text.trimmingSpaces.isEmpty { return text }
    // What is no text has been reported already.
    if value.isNull || value.string != nil {
        problems.required(path, "it says which clusters are meant", hint: "Write them, or delete the annotation.")
    }
    return nil
}
