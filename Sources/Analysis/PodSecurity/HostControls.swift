import Manifest

// The controls that keep a pod away from the node: its namespaces, devices, paths, ports and addresses.

func checkHostNamespaces(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    guard !pod.hostNamespaces.isEmpty else { return nil }
    return .init(
        reason: "host namespaces", detail: pod.hostNamespaces.map { "\($0)=true" }.joined(separator: ", "),
        fields: pod.hostNamespaces.map { PodFacts.path.field($0) })
}

func checkPrivileged(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    for container in pod.containers where container.isPrivileged {
        setters.add(container, [container.securityField("privileged")])
    }
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "privileged", detail: "\(setters.words) must not set securityContext.privileged=true",
        fields: setters.fields)
}

func checkWindowsHostProcess(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    if pod.security.isHostProcess {
        setters.addPod([PodFacts.securityPath.field("windowsOptions").field("hostProcess")])
    }
    for container in pod.containers where container.security.isHostProcess {
        setters.add(container, [container.securityField("windowsOptions", "hostProcess")])
    }
    guard !setters.isEmpty else { return nil }
    return .init(
        reason: "hostProcess", detail: "\(setters.words) must not set securityContext.windowsOptions.hostProcess=true",
        fields: setters.fields)
}

func checkHostPathVolumes(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    let volumes = pod.volumes.filter(\.hasHostPath)
    guard !volumes.isEmpty else { return nil }
    return .init(
        reason: "hostPath volumes", detail: Wording.named("volume", volumes.map(\.name)),
        fields: volumes.map { $0.path.field("hostPath") })
}

func checkRestrictedVolumes(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    let volumes = pod.volumes.filter { !$0.hasAllowedSource }
    guard !volumes.isEmpty else { return nil }
    let types = Wording.sortedSet(volumes.map { $0.refusedSource ?? "unknown" })
    let verb = volumes.count == 1 ? "uses" : "use"
    return .init(
        reason: "restricted volume types",
        detail:
            "\(Wording.named("volume", volumes.map(\.name))) \(verb) \(Wording.named("restricted volume type", types))",
        fields: volumes.map { volume in volume.refusedSource.map { volume.path.field($0) } ?? volume.path })
}

func checkHostPorts(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    var setters = Setters()
    var ports: [String] = []
    for container in pod.containers where !container.hostPorts.isEmpty {
        let path = container.path.field("ports")
        setters.add(container, container.hostPorts.map { path.index($0.index).field("hostPort") })
        ports += container.hostPorts.map { String($0.port) }
    }
    guard !setters.isEmpty else { return nil }
    ports = Wording.sortedSet(ports)
    let verb = setters.verb("uses", "use")
    return .init(
        reason: "hostPort",
        detail: "\(setters.words) \(verb) \(Wording.plural("hostPort", ports.count)) \(ports.joined(separator: ", "))",
        fields: setters.fields)
}

/// Upstream keeps the names of the containers in a set here, unlike everywhere else.
func checkProbeHosts(_ pod: PodFacts) -> PodSecurityControl.Refusal? {
    let containers = pod.containers.filter { !$0.probeHosts.isEmpty }
    guard !containers.isEmpty else { return nil }
    let names = Wording.sortedSet(containers.map(\.name))
    let hosts = Wording.sortedSet(containers.flatMap { $0.probeHosts.map(\.host) })
    let verb = names.count == 1 ? "uses" : "use"
    return .init(
        reason: "probe or lifecycle host",
        detail: "\(Wording.named("container", names)) \(verb) \(Wording.named("probe or lifecycle host", hosts))",
        fields: containers.flatMap { $0.probeHosts.map(\.path) })
}

func checkSysctls(_ pod: PodFacts, minor: Int) -> PodSecurityControl.Refusal? {
    let allowed = allowedSysctls.filter { $0.sinceMinor <= minor }.flatMap(\.names)
    let forbidden = pod.sysctls.enumerated().filter { !$0.element.isOne(of: allowed) }
    guard !forbidden.isEmpty else { return nil }
    let path = PodFacts.securityPath.field("sysctls")
    return .init(
        reason: "forbidden sysctls", detail: forbidden.map(\.element).joined(separator: ", "),
        fields: forbidden.map { path.index($0.offset).field("name") })
}

private let allowedSysctls: [(sinceMinor: Int, names: [String])] = [
    (
        0,
        [
            "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        ]
    ),
    (27, ["net.ipv4.ip_local_reserved_ports"]),
    (
        29,
        [
            "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
        ]
    ),
    (32, ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]),
]
