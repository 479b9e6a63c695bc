package import Manifest

/// The files of one revision, shared out among the clusters that it is for.
///
/// A cluster gets the documents of its folders that are for it, later folders over earlier ones: an object takes the place
/// of the one with its name, a patch changes it. A document that is not for a cluster is not there for it.
///
/// A mistake in a file refuses the revision for the clusters that get the file; a mistake that no cluster alone has, such
/// as a file that none gets, refuses it for all.
package struct RepositoryAssembly: Sendable {
    package let layout: RepositoryLayout
    private let configuration: FileVerdict?
    /// All of them where the repository is for one cluster.
    private let layers: [String: [FileVerdict]]
    /// What is wrong for every cluster.
    private var common: [Finding] = []
    /// What is wrong with the selections of a folder's documents.
    private var selections: [String: [Finding]] = [:]

    /// - Parameter verdicts: Of the files of a cluster, where only one is asked for; see ``RepositoryLayout/needs(_:for:)``.
    package init(_ verdicts: [FileVerdict], in layout: RepositoryLayout) {
        self.layout = layout
        let ordered = verdicts.sorted { $0.file.precedesByBytes($1.file) }
        let place = layout.configurationFile
        configuration = ordered.first { $0.file == place }
        guard layout.isForManyClusters else {
            layers = ["": ordered]
            checkIsForOne(ordered)
            return
        }
        var layers: [String: [FileVerdict]] = [:]
        var nobodys: [FileVerdict] = []
        for verdict in ordered where verdict.file != place {
            let folders = layout.folders(getting: verdict.file)
            if folders.isEmpty { nobodys.append(verdict) }
            for folder in folders { layers[folder, default: []].append(verdict) }
        }
        self.layers = layers
        common = configuration?.findings ?? []
        reportObjects(beside: configuration)
        nobodys.forEach { reportNobodys($0) }
        checkNames()
        for (folder, verdicts) in layers { selections[folder] = checkedSelections(of: verdicts, in: folder) }
    }

    /// What one cluster is to hold.
    ///
    /// - Parameter name: Nil where none is named. Where the repository is for one cluster the name makes no difference.
    /// - Returns: All findings that hold for the cluster, in the order of files and places, and the declared state, which is
    ///   empty where any of them is an error: a revision is good as a whole or not at all.
    package func state(for name: String?) -> (state: DeclaredState, findings: [Finding]) {
        var assembly = ClusterAssembly(
            configuration: configuration?.configuration ?? .standard, place: layout.configurationFile)
        common.forEach { assembly.list.append($0) }
        guard layout.isForManyClusters else {
            if let name { checkIsNotLost(name, &assembly.list) }
            assembly.add(layers.values.first ?? [], for: nil)
            return assembly.finish()
        }
        guard let name, let cluster = layout.cluster(named: name) else {
            assembly.list.append(name.map(unknown) ?? unnamed)
            return assembly.finish()
        }
        for folder in cluster.folders {
            selections[folder]?.forEach { assembly.list.append($0) }
            if !layout.exists(folder) { assembly.list.append(missing(folder, of: cluster)) }
            assembly.add(layers[folder] ?? [], for: cluster)
        }
        return assembly.finish(for: name)
    }

    /// The objects that files without a mistake declare for a cluster, whatever is wrong with others.
    package func declarations(for name: String?) -> [ObjectID] {
        func ids(_ verdicts: [FileVerdict]?, _ isMeant: (Declaration) -> Bool) -> [ObjectID] {
            (verdicts ?? []).filter { !$0.hasErrors }.flatMap { $0.declarations.filter(isMeant).map(\.id) }
        }
        guard layout.isForManyClusters else {
            return name.map(isLost) == true ? [] : ids(layers.values.first) { _ in true }
        }
        guard let cluster = name.flatMap(layout.cluster) else { return [] }
        return cluster.folders.flatMap { folder in
            ids(layers[folder]) { $0.selection?.matches(cluster) ?? true }
        }
    }

    // MARK: Findings

    private func finding(
        _ severity: Finding.Severity = .error, file: String, at position: SourcePosition? = nil,
        object: ObjectID? = nil, path: FieldPath = .root, _ message: String, hint: String
    ) -> Finding {
        Finding(
            severity: severity, file: file, position: position ?? SourcePosition(line: 1, column: 1), object: object,
            path: path, message: message, hint: hint)
    }

    /// In a repository for one cluster a patch has no object to change and a selection nothing to select from.
    private mutating func checkIsForOne(_ verdicts: [FileVerdict]) {
        // What the configuration lists cannot be told where it cannot be read.
        guard configuration?.hasErrors != true else { return }
        let hint = "List clusters in \(layout.configurationFile), or make folders base and clusters/NAME."
        for verdict in verdicts {
            for patch in verdict.patches {
                common.append(
                    finding(
                        file: verdict.file, at: patch.position, object: patch.id,
                        path: .annotation(ClusterAnnotations.patch),
                        "this repository is for one cluster, so there is no object that a patch could change",
                        hint: hint))
            }
            for (id, selection) in verdict.selections {
                common.append(
                    finding(
                        file: verdict.file, at: selection.position, object: id, path: selection.path,
                        "this repository is for one cluster, so there is nothing to select", hint: hint))
            }
        }
    }

    /// Where `base` is gone, what is in `clusters` would otherwise all be one cluster's (rule H9).
    private func isLost(_ name: String) -> Bool {
        !layout.isForManyClusters && layout.exists(layout.path("clusters/\(name)"))
            && !layout.exists(layout.path("base"))
    }

    private func checkIsNotLost(_ name: String, _ list: inout FindingList) {
        guard isLost(name) else { return }
        let own = layout.path("clusters/\(name)")
        list.append(
            finding(
                file: own,
                "this looks like the folder of one of many clusters, but there is no folder \(layout.path("base"))",
                hint: "Bring that folder back, or list clusters with their folders in \(layout.configurationFile)."))
    }

    private mutating func reportObjects(beside configuration: FileVerdict?) {
        guard let configuration else { return }
        let documents =
            configuration.declarations.map { ($0.id, $0.position) } + configuration.patches.map { ($0.id, $0.position) }
        for (id, position) in documents {
            common.append(
                finding(
                    file: configuration.file, at: position, object: id,
                    "no cluster gets what stands beside the configuration",
                    hint: "Move it into a file in a folder of a cluster."))
        }
    }

    private mutating func reportNobodys(_ verdict: FileVerdict) {
        common += verdict.findings
        guard !verdict.hasErrors else { return }
        common.append(
            finding(
                file: verdict.file, "no cluster gets this file",
                hint: "Move it into a folder of a cluster: \(list(Set(layout.clusters.flatMap(\.folders)).sorted()))."))
    }

    /// Names of folders are names of clusters, and stand in selections as such.
    private mutating func checkNames() {
        guard layout.authority == .folders else { return }
        for cluster in layout.clusters {
            guard let problem = Names.subdomainProblems(cluster.name).first else { continue }
            common.append(
                finding(
                    file: cluster.folders.last ?? "",
                    "the folder's name \(quoted(cluster.name)) is no name of a cluster: \(problem)",
                    hint: "Rename the folder."))
        }
    }

    private func checkedSelections(of verdicts: [FileVerdict], in folder: String) -> [Finding] {
        let getting = layout.clusters.filter { $0.folders.contains(folder) }
        return verdicts.flatMap { verdict in
            verdict.selections.flatMap { check($0.selection, of: $0.id, in: verdict.file, for: getting) }
        }
    }

    /// - Parameter clusters: Those that get the file.
    private func check(
        _ selection: ClusterSelection, of id: ObjectID, in file: String, for clusters: [ClusterDeclaration]
    ) -> [Finding] {
        let known = layout.clusters.map(\.name)
        let unknown = (selection.names ?? []).compactMap(\.exactName).filter { layout.cluster(named: $0) == nil }
        var findings = unknown.map { name in
            finding(
                file: file, at: selection.position, object: id, path: selection.path,
                "no cluster is called \(quoted(name))",
                hint: nearest(to: name, among: known).map { "Did you mean \($0)?" } ?? "There are \(list(known)).")
        }
        if selection.labels != nil, layout.authority == .folders {
            findings.append(
                finding(
                    file: file, at: selection.position, object: id, path: .annotation(ClusterAnnotations.selector),
                    "the clusters have no labels: only a list of clusters gives them some",
                    hint: "List clusters with labels in \(layout.configurationFile)."))
        }
        guard findings.isEmpty, !clusters.contains(where: selection.matches) else { return findings }
        return [
            finding(
                .warning, file: file, at: selection.position, object: id, path: selection.path,
                "selects none of the clusters that get this file: \(list(clusters.map(\.name)))",
                hint: "Correct the selection, or delete the document.")
        ]
    }

    private var unnamed: Finding {
        finding(
            file: layout.authority == .configuration ? layout.configurationFile : layout.path("clusters"),
            "this repository is for several clusters, and none was named",
            hint: "Name one with --cluster: \(list(layout.clusters.map(\.name))).")
    }

    private func unknown(_ name: String) -> Finding {
        finding(
            file: layout.authority == .configuration ? layout.configurationFile : layout.path("clusters"),
            layout.authority == .configuration
                ? "no cluster is called \(quoted(name))"
                : "no cluster is called \(quoted(name)): there is no folder \(layout.path("clusters/\(printable(name))"))",
            hint: "This repository is for \(list(layout.clusters.map(\.name))).")
    }

    private func missing(_ folder: String, of cluster: ClusterDeclaration) -> Finding {
        let index = layout.clusters.firstIndex { $0.name.hasSameBytes(as: cluster.name) } ?? 0
        let positions = configuration?.clusterPositions ?? []
        return finding(
            file: layout.configurationFile, at: positions.indices.contains(index) ? positions[index] : nil,
            path: .root.field("clusters").index(index).field("folders"), "there is no folder \(printable(folder))",
            hint: "Bring the folder back, or list the folders that the cluster is to get.")
    }
}

/// Words between commas, the first of many.
private func list(_ words: [String]) -> String {
    let shown = words.prefix(20).map(printable).joined(separator: ", ")
    return words.count > 20 ? "\(shown) and \(words.count - 20) more" : shown
}

// MARK: Several clusters

/// What checking a repository for one of its clusters gave.
package struct ClusterOutcome: Sendable {
    package var name: String
    package var objectCount: Int
    package var findings: [Finding]

    package init(name: String, objectCount: Int, findings: [Finding]) {
        self.name = name
        self.objectCount = objectCount
        self.findings = findings
    }
}

extension RepositoryAssembly {
    /// Every finding once, with the clusters it holds for where those are not all that get its file.
    package func merged(_ outcomes: [ClusterOutcome]) -> [Finding] {
        var holders: [Finding: [String]] = [:]
        for outcome in outcomes {
            for finding in outcome.findings where holders[finding]?.last != outcome.name {
                holders[finding, default: []].append(outcome.name)
            }
        }
        var all = FindingList(limit: ManifestLimits.findingsPerRevision)
        for (finding, names) in holders {
            var finding = finding
            if names.count < layout.clusters(getting: finding.file).count {
                finding.message += " (for \(names.count == 1 ? "the cluster" : "the clusters") \(list(names)))"
            }
            all.append(finding)
        }
        return all.sorted(file: "", place: "revision")
    }
}
