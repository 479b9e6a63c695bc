import Manifest

/// What the controls look at in a container of any sort.
struct ContainerFacts: Sendable {
    var name: String
    /// Such as `spec.initContainers[0]`.
    var path: FieldPath
    var security = SecurityFacts()
    var isPrivileged = false
    var allowsPrivilegeEscalation: Bool?
    var procMount: String?
    var addedCapabilities: [String] = []
    var droppedCapabilities: [String] = []
    /// The ports of the node, none of them 0, with their places among the container's ports.
    var hostPorts: [(index: Int, port: Int64)] = []
    /// The hosts that probes and lifecycle hooks name, none of them empty.
    var probeHosts: [(path: FieldPath, host: String)] = []

    init(_ container: Tree, at path: FieldPath, _ reader: inout FieldReader) {
        name = reader.string("name", of: container, at: path) ?? ""
        self.path = path
        for (index, port) in reader.maps("ports", of: container, at: path) {
            let port = reader.integer("hostPort", of: port, at: path.field("ports").index(index)) ?? 0
            if port != 0 { hostPorts.append((index, port)) }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            readHosts(of: probe, in: container, at: path, &reader)
        }
        if let lifecycle = reader.map("lifecycle", of: container, at: path) {
            for hook in ["postStart", "preStop"] {
                readHosts(of: hook, in: lifecycle, at: path.field("lifecycle"), &reader)
            }
        }
        guard let context = reader.map("securityContext", of: container, at: path) else { return }
        let contextPath = path.field("securityContext")
        security = SecurityFacts(context, at: contextPath, &reader)
        isPrivileged = reader.bool("privileged", of: context, at: contextPath) ?? false
        allowsPrivilegeEscalation = reader.bool("allowPrivilegeEscalation", of: context, at: contextPath)
        procMount = reader.string("procMount", of: context, at: contextPath)
        if let capabilities = reader.map("capabilities", of: context, at: contextPath) {
            addedCapabilities = reader.strings("add", of: capabilities, at: contextPath.field("capabilities"))
            droppedCapabilities = reader.strings("drop", of: capabilities, at: contextPath.field("capabilities"))
        }
    }

    private mutating func readHosts(of key: String, in tree: Tree, at path: FieldPath, _ reader: inout FieldReader) {
        guard let handler = reader.map(key, of: tree, at: path) else { return }
        let path = path.field(key)
        for action in ["httpGet", "tcpSocket"] {
            guard let target = reader.map(action, of: handler, at: path),
                let host = reader.string("host", of: target, at: path.field(action)), !host.isEmpty
            else { continue }
            probeHosts.append((path.field(action).field("host"), host))
        }
    }

    func securityField(_ names: String...) -> FieldPath {
        names.reduce(path.field("securityContext")) { $0.field($1) }
    }
}

/// What the controls look at in a volume.
struct VolumeFacts: Sendable {
    var name: String
    var path: FieldPath
    /// Whether it has a source that `restricted` allows.
    var hasAllowedSource = false
    /// The first of the sources that `restricted` refuses, in upstream's order; nil also where nobody knows its source.
    var refusedSource: String?
    var hasHostPath = false

    init(_ volume: Tree, at path: FieldPath, _ reader: inout FieldReader) {
        name = reader.string("name", of: volume, at: path) ?? ""
        self.path = path
        for (source, value) in volume.members ?? Members() where !value.isNull {
            let isAllowed = source.isOne(of: Self.allowedSources)
            guard isAllowed || source.isOne(of: Self.refusedSources) else { continue }
            if value.members == nil { reader.note(value, isNot: "a map", at: path.field(source)) }
            hasAllowedSource = hasAllowedSource || isAllowed
        }
        refusedSource = Self.refusedSources.first { !(volume[$0]?.isNull ?? true) }
        hasHostPath = !(volume["hostPath"]?.isNull ?? true)
    }

    private static let allowedSources = [
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected",
        "secret",
    ]

    private static let refusedSources = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd",
        "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
        "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos",
    ]
}
