import Manifest

// The controls over the profiles of the node's security modules: AppArmor, seccomp and SELinux.

private let appArmorAnnotationPrefix = "container.apparmor.security.beta.kubernetes.io/"
private let seccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod"
private let seccompContainerAnnotationPrefix = "container.seccomp.security.alpha.kubernetes.io/"
private let annotationsPath = FieldPath([.field("metadata"), .field("annotations")])

private func isAllowedProfile(_ type: String) -> Bool { type.isOne(of: ["RuntimeDefault", "Localhost"]) }

func checkAppArmorProfile(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    var types: [String] = []
    if let type = pod.security.appArmorType, !isAllowedProfile(type) {
        setters.addPod([PodFacts.securityPath.field("appArmorProfile").field("type")])
        types.append(type)
    }
    for container in pod.containers {
        guard let type = container.security.appArmorType, !isAllowedProfile(type) else { continue }
        setters.add(container, [container.securityField("appArmorProfile", "type")])
        types.append(type)
    }
    let annotations = pod.annotations.values.filter { key, value in
        key.startsWithBytes(of: appArmorAnnotationPrefix) && !value.isEmpty
            && !value.isOne(of: ["runtime/default"]) && !value.startsWithBytes(of: "localhost/")
    }
    .map { (path: annotationsPath.key($0), text: "\($0)=\(Wording.goQuoted($1))") }
    .sorted { $0.text.precedesByBytes($1.text) }
    if !annotations.isEmpty { setters.add(Wording.plural("annotation", annotations.count), annotations.map(\.path)) }
    guard !setters.isEmpty else { return nil }
    let values = Wording.sortedSet(types) + annotations.map(\.text)
    return .init(
        reason: Wording.plural("forbidden AppArmor profile", values.count),
        detail: "\(setters.words) must not set AppArmor profile type to \(Wording.quoted(values))",
        fields: setters.fields)
}

/// What seccomp profiles were before they became fields.
func checkSeccompAnnotations(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    let keys = [seccompPodAnnotation] + pod.containers.map { seccompContainerAnnotationPrefix + $0.name }
    let forbidden = Wording.sortedSet(keys).compactMap { key -> (path: FieldPath, text: String)? in
        guard let value = pod.annotations[key], !value.isOne(of: ["runtime/default", "docker/default"]),
            !value.startsWithBytes(of: "localhost/")
        else { return nil }
        return (annotationsPath.key(key), "\(key)=\(Wording.goQuoted(value))")
    }
    .sorted { $0.text.precedesByBytes($1.text) }
    guard !forbidden.isEmpty else { return nil }
    let texts = forbidden.map(\.text).joined(separator: ", ")
    return .init(
        reason: "seccompProfile", detail: "forbidden \(Wording.plural("annotation", forbidden.count)) \(texts)",
        fields: forbidden.map(\.path))
}

/// - Parameter isRequired: Whether each container needs a profile of its own or the pod's.
func checkSeccompProfile(_ pod: PodFacts, isRequired: Bool) -> PodSecurityControl.Refusal? {
    var bad = Setters()
    var missing = Setters()
    var types: [String] = []
    if let type = pod.security.seccompType, !isAllowedProfile(type) {
        bad.addPod([PodFacts.securityPath.field("seccompProfile").field("type")])
        types.append(type)
    }
    let isSetByPod = pod.security.seccompType.map(isAllowedProfile) ?? false
    for container in pod.containers {
        let field = container.securityField("seccompProfile", "type")
        if let type = container.security.seccompType {
            guard !isAllowedProfile(type) else { continue }
            bad.add(container, [field])
            types.append(type)
        } else if isRequired && !isSetByPod {
            missing.add(container, [field])
        }
    }
    if !bad.isEmpty {
        let values = Wording.quoted(Wording.sortedSet(types))
        return .init(
            reason: "seccompProfile",
            detail: "\(bad.words) must not set securityContext.seccompProfile.type to \(values)",
            fields: bad.fields)
    }
    guard !missing.isEmpty else { return nil }
    return .init(
        reason: "seccompProfile",
        detail: "pod or \(missing.words) must set securityContext.seccompProfile.type to "
            + "\"RuntimeDefault\" or \"Localhost\"",
        fields: missing.fields)
}

/// - Parameter allowsEngineType: Whether `container_engine_t` is among the types that may be set.
func checkSELinuxOptions(_ pod: PodFacts, allowsEngineType: Bool) -> PodSecurityControl.Refusal? {
    let allowed =
        ["", "container_t", "container_init_t", "container_kvm_t"] + (allowsEngineType ? ["container_engine_t"] : [])
    var setters = Setters()
    var types: [String] = []
    var setsUser = false
    var setsRole = false
    func forbiddenFields(_ security: SecurityFacts, at path: FieldPath) -> [FieldPath] {
        var names: [String] = []
        if !security.seLinuxType.isOne(of: allowed) {
            names.append("type")
            types.append(security.seLinuxType)
        }
        if !security.seLinuxUser.isEmpty {
            names.append("user")
            setsUser = true
        }
        if !security.seLinuxRole.isEmpty {
            names.append("role")
            setsRole = true
        }
        return names.map { path.field("securityContext").field("seLinuxOptions").field($0) }
    }
    let podFields = forbiddenFields(pod.security, at: PodFacts.path)
    if !podFields.isEmpty { setters.addPod(podFields) }
    for container in pod.containers {
        let fields = forbiddenFields(container.security, at: container.path)
        if !fields.isEmpty { setters.add(container, fields) }
    }
    guard !setters.isEmpty else { return nil }
    var faults = types.isEmpty ? [] : [Wording.named("type", Wording.sortedSet(types))]
    if setsUser { faults.append("user may not be set") }
    if setsRole { faults.append("role may not be set") }
    return .init(
        reason: "seLinuxOptions",
        detail: "\(setters.words) set forbidden securityContext.seLinuxOptions: \(faults.joined(separator: "; "))",
        fields: setters.fields)
}
