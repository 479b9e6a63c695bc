import Manifest

// The controls over the user, the capabilities and the view of /proc that processes run with.

func checkAddedCapabilities(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    let added = addedCapabilities(of: pod, besides: defaultCapabilities, &setters)
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "non-default capabilities",
        detail: "\(setters.words) must not include \(Wording.quoted(added)) in securityContext.capabilities.add",
        fields: setters.fields)
}

func checkRestrictedCapabilities(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var keeping = Setters()
    for container in pod.containers where !container.droppedCapabilities.contains(where: { $0.isOne(of: ["ALL"]) }) {
        keeping.add(container, [container.securityField("capabilities", "drop")])
    }
    var adding = Setters()
    let added = addedCapabilities(of: pod, besides: ["NET_BIND_SERVICE"], &adding)
    var details: [String] = []
    if !keeping.isEmpty {
        details.append("\(keeping.words) must set securityContext.capabilities.drop=[\"ALL\"]")
    }
    if !adding.isEmpty {
        details.append("\(adding.words) must not include \(Wording.quoted(added)) in securityContext.capabilities.add")
    }
    guard !details.isEmpty else { return nil }
    return .init(
        reason: "unrestricted capabilities", detail: details.joined(separator: "; "),
        fields: keeping.fields + adding.fields)
}

private func addedCapabilities(
    of pod: PodFacts, besides allowed: [String], _ setters: inout Setters
) -> [String] {
    var added: [String] = []
    for container in pod.containers {
        let forbidden = container.addedCapabilities.enumerated().filter { !$0.element.isOne(of: allowed) }
        guard !forbidden.isEmpty else { continue }
        let path = container.securityField("capabilities", "add")
        setters.add(container, forbidden.map { path.index($0.offset) })
        added += forbidden.map(\.element)
    }
    return Wording.sortedSet(added)
}

private let defaultCapabilities = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
]

func checkPrivilegeEscalation(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    for container in pod.containers where container.allowsPrivilegeEscalation != false {
        setters.add(container, [container.securityField("allowPrivilegeEscalation")])
    }
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "allowPrivilegeEscalation != false",
        detail: "\(setters.words) must set securityContext.allowPrivilegeEscalation=false", fields: setters.fields)
}

func checkProcMount(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    var types: [String] = []
    for container in pod.containers {
        guard let type = container.procMount, !type.isOne(of: ["Default"]) else { continue }
        setters.add(container, [container.securityField("procMount")])
        types.append(type)
    }
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "procMount",
        detail:
            "\(setters.words) must not set securityContext.procMount to \(Wording.quoted(Wording.sortedSet(types)))",
        fields: setters.fields)
}

func checkRunAsNonRoot(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var bad = Setters()
    var missing = Setters()
    if pod.security.runAsNonRoot == false { bad.addPod([PodFacts.securityPath.field("runAsNonRoot")]) }
    for container in pod.containers {
        switch container.security.runAsNonRoot {
        case true?: continue
        case false?: bad.add(container, [container.securityField("runAsNonRoot")])
        case nil where pod.security.runAsNonRoot != true:
            missing.add(container, [container.securityField("runAsNonRoot")])
        case nil: continue
        }
    }
    if !bad.isEmpty {
        return .init(
            reason: "runAsNonRoot != true", detail: "\(bad.words) must not set securityContext.runAsNonRoot=false",
            fields: bad.fields)
    }
    guard !missing.isEmpty else { return nil }
    return .init(
        reason: "runAsNonRoot != true",
        detail: "pod or \(missing.words) must set securityContext.runAsNonRoot=true", fields: missing.fields)
}

func checkRunAsUser(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    if pod.security.runAsUser == 0 { setters.addPod([PodFacts.securityPath.field("runAsUser")]) }
    for container in pod.containers where container.security.runAsUser == 0 {
        setters.add(container, [container.securityField("runAsUser")])
    }
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "runAsUser=0", detail: "\(setters.words) must not set runAsUser=0", fields: setters.fields)
}
