import Manifest

/// Whether a document is meant as a repository's configuration.
func isConfiguration(_ tree: Tree) -> Bool {
    tree["apiVersion"]?.string?.hasPrefix("bylaw.dev/") == true && tree["kind"]?.string == RepositoryConfiguration.kind
}

/// Reads a repository's configuration.
///
/// Whatever does not fit is a problem, and then the configuration must not be used.
func readConfiguration(_ source: Tree) -> (configuration: RepositoryConfiguration, problems: Problems) {
    var reader = ObjectReader(mode: .strict)
    let tree = reader.read(source, as: .object(ConfigurationSchema.shape)) ?? .object(Members())
    var decoder = ConfigurationDecoder(problems: reader.problems)
    decoder.refuseNulls(in: source, at: .root)
    return (decoder.configuration(tree), decoder.problems)
}

private struct ConfigurationDecoder {
    var problems: Problems

    mutating func configuration(_ tree: Tree) -> RepositoryConfiguration {
        if tree["apiVersion"]?.string != RepositoryConfiguration.apiVersion {
            problems.unsupported(
                .root.field("apiVersion"), tree["apiVersion"]?.string ?? "",
                supported: [RepositoryConfiguration.apiVersion])
        }
        var result = RepositoryConfiguration.standard
        if tree["managedKinds"] != nil {
            result.managedKinds = kinds(tree["managedKinds"], at: .root.field("managedKinds"), among: Resource.managed)
        }
        result.scopes = scopes(tree["scopes"] ?? .object(Members()))
        result.guardrails = guardrails(tree["guardrails"] ?? .object(Members()))
        result.protected = patterns(tree["protected"], at: .root.field("protected"), areNames: true)
        result.yieldsInFights = patterns(
            tree["fights"]?["yield"], at: .root.field("fights").field("yield"), areNames: true)
        result.prevention = tree["prevention"].flatMap { prevention($0) }
        result.clusters = clusters(tree["clusters"])
        return result
    }

    /// Refuses fields without a value: what leaves a field out may mean more than the value that was forgotten.
    mutating func refuseNulls(in tree: Tree, at path: FieldPath) {
        for (key, value) in tree.members ?? Members() {
            if value.isNull {
                problems.required(path.field(key), hint: "Write what is meant, or delete the field.")
            } else {
                refuseNulls(in: value, at: path.field(key))
            }
        }
        for (index, value) in (tree.array ?? []).enumerated() { refuseNulls(in: value, at: path.index(index)) }
    }

    // MARK: Scopes

    private mutating func scopes(_ tree: Tree) -> ScopeRules {
        let path = FieldPath.root.field("scopes")
        var result = ScopeRules()
        if let mode = choice(tree["default"], at: path.field("default"), ScopeMode.self) { result.standardMode = mode }
        let rules = ObjectValidator.elements(tree["rules"], at: path.field("rules"))
        if rules.count > ScopeRules.maximumRules {
            problems.refuse(
                path.field("rules"), "has \(rules.count) rules, more than the \(ScopeRules.maximumRules) that may be",
                hint: "Say it with fewer rules: names may hold a *.")
            return result
        }
        for (rule, path) in rules {
            if let rule = scopeRule(rule, at: path) { result.rules.append(rule) }
        }
        result.exclusions = patterns(tree["exclude"], at: path.field("exclude"), areNames: false)
        result.otherInstances = Set(
            ObjectValidator.elements(tree["otherInstances"], at: path.field("otherInstances"))
                .map { text($0.0, at: $0.1) })
        return result
    }

    private mutating func scopeRule(_ tree: Tree, at path: FieldPath) -> ScopeRule? {
        guard tree["mode"] != nil else {
            problems.required(path.field("mode"), hint: "Write declared, report or enforce.")
            return nil
        }
        let mode = choice(tree["mode"], at: path.field("mode"), ScopeMode.self)
        let isClusterWide = tree["clusterWide"]?.bool ?? false
        let isOfNamespaces = tree["namespaces"] != nil || tree["namespaceSelector"] != nil
        guard isClusterWide != isOfNamespaces else {
            problems.refuse(
                path, "a rule is about namespaces, or about the objects of the whole cluster",
                hint: "Write either clusterWide: true, or namespaces or namespaceSelector.")
            return nil
        }
        let closable = Resource.managed.filter {
            ScopeRules.closableKinds.contains($0) && $0.isNamespaced != isClusterWide
        }
        let target: ScopeRule.Target
        if isClusterWide {
            target = .clusterWide
        } else {
            if let selector = tree["namespaceSelector"] {
                checkSelector(selector, at: path.field("namespaceSelector"))
            }
            target = .namespaces(
                names: names(tree["namespaces"], at: path.field("namespaces")),
                labels: tree["namespaceSelector"].map(LabelSelector.init))
        }
        let kinds =
            tree["kinds"] == nil ? Set(closable) : kinds(tree["kinds"], at: path.field("kinds"), among: closable)
        guard let mode else { return nil }
        return ScopeRule(target: target, kinds: kinds, mode: mode)
    }

    // MARK: Guardrails

    private mutating func guardrails(_ tree: Tree) -> GuardrailSettings {
        let path = FieldPath.root.field("guardrails")
        var result = GuardrailSettings()
        let deletions = tree["deletions"]
        let deletionsPath = path.field("deletions")
        if let value = number(deletions?["maximum"], at: deletionsPath.field("maximum"), 0...1_000_000) {
            result.deletions.maximum = value
        }
        if let value = number(deletions?["maximumPercent"], at: deletionsPath.field("maximumPercent"), 0...100) {
            result.deletions.maximumPercent = value
        }
        if let value = number(deletions?["always"], at: deletionsPath.field("always"), 0...1000) {
            result.deletions.always = value
        }
        let known = ChangeReason.allCases.map(\.rawValue) + Guardrail.ofRisks.map(\.rawValue)
        for (name, value) in tree["risks"]?.members ?? Members() {
            let path = path.field("risks").key(name)
            guard known.contains(where: { $0.hasSameBytes(as: name) }) else {
                problems.unreadable(
                    path, "no risk or guardrail is called \(quoted(name))",
                    hint: nearest(to: name, among: known).map { "Did you mean \($0)?" }
                        ?? "bylaw guardrails lists them.")
                continue
            }
            if let decision = choice(value, at: path, GuardrailDecision.self) { result.decisions[name] = decision }
        }
        for (approver, path) in ObjectValidator.elements(tree["approvers"], at: path.field("approvers")) {
            let name = text(approver["name"], at: path.field("name"))
            let signers = ObjectValidator.elements(approver["signers"], at: path.field("signers"))
                .map { text($0.0, at: $0.1) }
            if signers.isEmpty {
                problems.required(
                    path.field("signers"), "an approver is known by a signature",
                    hint: "Write a principal of the allowed-signers file, a mail address, or a key's fingerprint.")
            }
            if result.approvers.contains(where: { $0.name == name }) {
                problems.invalid(
                    path.field("name"), name, "an approver of this name is listed already",
                    hint: "List all signers of one person in one entry.")
            }
            result.approvers.append(Approver(name: name, signers: signers))
        }
        return result
    }

    private mutating func prevention(_ tree: Tree) -> PreventionRequest? {
        let path = FieldPath.root.field("prevention")
        var result = PreventionRequest()
        if let glass = tree["breakGlass"] {
            let path = path.field("breakGlass")
            result.breakGlassGroup = text(glass["group"], at: path.field("group"))
            if let longest = glass["longest"]?.string {
                if let seconds = duration(longest), (60...7 * 86_400).contains(seconds) {
                    result.breakGlassLongest = seconds
                } else {
                    problems.invalid(
                        path.field("longest"), longest, "no time between a minute and a week",
                        hint: "Write minutes, hours or days, such as 30m or 4h.")
                }
            }
        }
        for (list, keep) in [("exemptUsers", \PreventionRequest.exemptUsers), ("exemptGroups", \.exemptGroups)] {
            result[keyPath: keep] = ObjectValidator.elements(tree[list], at: path.field(list))
                .map { text($0.0, at: $0.1) }
        }
        return tree["enabled"]?.bool == true ? result : nil
    }

    // MARK: Clusters

    private mutating func clusters(_ tree: Tree?) -> [ClusterDeclaration] {
        var result: [ClusterDeclaration] = []
        for (cluster, path) in ObjectValidator.elements(tree, at: .root.field("clusters")) {
            let name = text(cluster["name"], at: path.field("name"))
            for problem in name.isEmpty ? [] : Names.subdomainProblems(name) {
                problems.invalid(path.field("name"), name, problem, hint: "Name it as in --cluster.")
            }
            if result.contains(where: { $0.name.hasSameBytes(as: name) }) {
                problems.duplicate(path.field("name"), name, hint: "Delete one of them.")
            }
            var labels = Labels()
            for (key, value) in cluster["labels"]?.members ?? Members() {
                let path = path.field("labels").key(key)
                for problem in Names.qualifiedNameProblems(key) + Names.labelValueProblems(value.string ?? "") {
                    problems.invalid(path, key, problem, hint: "Write it as a label of Kubernetes.")
                }
                labels[key] = value.string
            }
            let folders =
                cluster["folders"] == nil
                ? ["base", "clusters/\(name)"]
                : ObjectValidator.elements(cluster["folders"], at: path.field("folders")).map { folder($0.0, at: $0.1) }
            if folders.isEmpty {
                problems.required(
                    path.field("folders"), "a cluster without a folder gets no object",
                    hint: "List its folders, the base first, or delete the field.")
            }
            checkFolders(folders, at: path.field("folders"))
            result.append(ClusterDeclaration(name: name, labels: labels, folders: folders))
        }
        return result
    }

    /// Which of two folders counts for a file must not be a question.
    private mutating func checkFolders(_ folders: [String], at path: FieldPath) {
        for (index, folder) in folders.enumerated() {
            let other = folders[..<index].first { "\(folder)/".hasPrefix("\($0)/") || "\($0)/".hasPrefix("\(folder)/") }
            guard let other else { continue }
            if folder.hasSameBytes(as: other) {
                problems.duplicate(path.index(index), folder, hint: "Delete one of them.")
            } else {
                problems.invalid(
                    path.index(index), folder, "one of the cluster's folders stands in another: \(printable(other))",
                    hint: "Move one out of the other, so that each file stands in one of them.")
            }
        }
    }

    private mutating func folder(_ tree: Tree, at path: FieldPath) -> String {
        let written = text(tree, at: path)
        let parts = written.split(separator: "/").filter { $0 != "." }
        if written.hasPrefix("/") || parts.contains("..") || parts.isEmpty {
            problems.invalid(
                path, written, "not a folder below the repository's path",
                hint: "Write it without a slash in front, such as clusters/production.")
        }
        return parts.joined(separator: "/")
    }

    // MARK: Parts

    /// - Parameter areNames: Whether only names decide: what labels say may be changed by whoever changes the object.
    private mutating func patterns(_ tree: Tree?, at path: FieldPath, areNames: Bool) -> [ObjectPattern] {
        ObjectValidator.elements(tree, at: path).map { item, path in pattern(item, at: path, areNames: areNames) }
    }

    private mutating func pattern(_ tree: Tree, at path: FieldPath, areNames: Bool) -> ObjectPattern {
        if tree.isEmpty {
            problems.refuse(path, "fits every object", hint: "Write kinds, names or namespaces.")
        }
        for key in ["labels", "ownerKinds"] where areNames && tree[key] != nil {
            problems.refuse(
                path.field(key), "whoever may write the object could change it, so it decides nothing here",
                hint: "Name the objects by kinds, names and namespaces.")
        }
        if let labels = tree["labels"] {
            checkSelector(labels, at: path.field("labels"))
            if LabelSelector(labels).requirements.isEmpty {
                problems.refuse(
                    path.field("labels"), "fits every object", hint: "Write matchLabels or matchExpressions.")
            }
        }
        let owners = ObjectValidator.elements(tree["ownerKinds"], at: path.field("ownerKinds"))
            .map { text($0.0, at: $0.1) }
        if tree["ownerKinds"] != nil, owners.isEmpty { refuseEmpty(path.field("ownerKinds")) }
        return ObjectPattern(
            kinds: tree["kinds"].map { kinds($0, at: path.field("kinds"), among: Resource.managed) },
            names: names(tree["names"], at: path.field("names")),
            namespaces: names(tree["namespaces"], at: path.field("namespaces")),
            labels: tree["labels"].map(LabelSelector.init), ownerKinds: tree["ownerKinds"] == nil ? nil : Set(owners))
    }

    private mutating func names(_ tree: Tree?, at path: FieldPath) -> [NamePattern]? {
        guard let tree else { return nil }
        let names = ObjectValidator.elements(tree, at: path).map { NamePattern(text($0.0, at: $0.1)) }
        if names.isEmpty { refuseEmpty(path) }
        return names
    }

    private mutating func kinds(_ tree: Tree?, at path: FieldPath, among known: [Resource]) -> Set<Resource> {
        var found: Set<Resource> = []
        let words = ObjectValidator.elements(tree, at: path)
        if words.isEmpty { refuseEmpty(path) }
        for (word, path) in words {
            let name = word.string ?? ""
            if let resource = known.first(where: { $0.kind.hasSameBytes(as: name) }) {
                found.insert(resource)
            } else {
                problems.unsupported(path, name, supported: known.map(\.kind))
            }
        }
        return found
    }

    private mutating func refuseEmpty(_ path: FieldPath) {
        problems.required(path, "an empty list fits nothing", hint: "List what is meant, or delete the field.")
    }

    private mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ tree: Tree?, at path: FieldPath, _: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let word = tree?.string else { return nil }
        if let choice = Choice(rawValue: word) { return choice }
        problems.unsupported(path, word, supported: Choice.allCases.map(\.rawValue))
        return nil
    }

    private mutating func number(_ tree: Tree?, at path: FieldPath, _ range: ClosedRange<Int>) -> Int? {
        guard let number = tree?.integer else { return nil }
        if let value = Int(exactly: number), range.contains(value) { return value }
        problems.invalid(
            path, number: number, "must be between \(range.lowerBound) and \(range.upperBound)",
            hint: "Write a number in that range.")
        return nil
    }

    private mutating func text(_ tree: Tree?, at path: FieldPath) -> String {
        let text = tree?.string ?? ""
        if text.isEmpty { problems.required(path, hint: "Write it, or delete the entry.") }
        if text.utf8.count > 1000 || text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        {
            problems.invalid(
                path, text, "too long, or with control characters", hint: "Write a name of up to 1000 bytes.")
        }
        return text
    }

    private mutating func checkSelector(_ tree: Tree, at path: FieldPath) {
        var validator = ObjectValidator(resource: .namespace, tree: tree, problems: problems)
        validator.validateSelector(tree, at: path)
        problems = validator.problems
    }

    /// Seconds.
    private func duration(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count >= 0 else {
            return nil
        }
        let (seconds, isTooLarge) = count.multipliedReportingOverflow(by: unit)
        return isTooLarge ? nil : seconds
    }
}
