package import Manifest

/// What the controls of the Pod Security Standards look at in a pod, read once for all levels and versions.
package struct PodFacts: Sendable {
    var annotations: Labels
    /// The names of the fields that share a namespace of the node.
    var hostNamespaces: [String] = []
    /// Whether `hostUsers` is false: root in the pod is nobody on the node.
    var hasUserNamespace = false
    /// Whether `os.name` says so: then the fields of Linux cannot be set.
    var isWindows = false
    var security = SecurityFacts()
    var sysctls: [String] = []
    var volumes: [VolumeFacts] = []
    /// Init containers, containers and ephemeral containers, in this order, as upstream visits them.
    var containers: [ContainerFacts] = []
    var unreadable: [UnreadableField] = []

    static let path = FieldPath([.field("spec")])
    static let securityPath = path.field("securityContext")

    /// Reads a pod specification as it is, without filling in defaults.
    package init(spec: Tree, annotations: Labels) {
        self.annotations = annotations
        var reader = FieldReader()
        if spec.members == nil && !spec.isNull { reader.note(spec, isNot: "a map", at: Self.path) }
        for field in ["hostNetwork", "hostPID", "hostIPC"]
        where reader.bool(field, of: spec, at: Self.path) == true {
            hostNamespaces.append(field)
        }
        hasUserNamespace = reader.bool("hostUsers", of: spec, at: Self.path) == false
        if let system = reader.map("os", of: spec, at: Self.path) {
            let name = reader.string("name", of: system, at: Self.path.field("os"))
            isWindows = name?.hasSameBytes(as: "windows") ?? false
        }
        if let context = reader.map("securityContext", of: spec, at: Self.path) {
            security = SecurityFacts(context, at: Self.securityPath, &reader)
            let list = Self.securityPath.field("sysctls")
            sysctls = reader.maps("sysctls", of: context, at: Self.securityPath).map { index, sysctl in
                reader.string("name", of: sysctl, at: list.index(index)) ?? ""
            }
        }
        for (index, volume) in reader.maps("volumes", of: spec, at: Self.path) {
            volumes.append(VolumeFacts(volume, at: Self.path.field("volumes").index(index), &reader))
        }
        for field in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, container) in reader.maps(field, of: spec, at: Self.path) {
                containers.append(ContainerFacts(container, at: Self.path.field(field).index(index), &reader))
            }
        }
        unreadable = reader.unreadable
    }
}

/// What a pod and its containers can both set.
struct SecurityFacts: Sendable {
    var runAsNonRoot: Bool?
    var runAsUser: Int64?
    /// The type of the seccomp profile; empty where there is a profile without one.
    var seccompType: String?
    /// The type of the AppArmor profile; empty where there is a profile without one.
    var appArmorType: String?
    var seLinuxType = ""
    var seLinuxUser = ""
    var seLinuxRole = ""
    var isHostProcess = false

    init() {}

    init(_ context: Tree, at path: FieldPath, _ reader: inout FieldReader) {
        runAsNonRoot = reader.bool("runAsNonRoot", of: context, at: path)
        runAsUser = reader.integer("runAsUser", of: context, at: path)
        if let profile = reader.map("seccompProfile", of: context, at: path) {
            seccompType = reader.string("type", of: profile, at: path.field("seccompProfile")) ?? ""
        }
        if let profile = reader.map("appArmorProfile", of: context, at: path) {
            appArmorType = reader.string("type", of: profile, at: path.field("appArmorProfile")) ?? ""
        }
        if let options = reader.map("seLinuxOptions", of: context, at: path) {
            let path = path.field("seLinuxOptions")
            seLinuxType = reader.string("type", of: options, at: path) ?? ""
            seLinuxUser = reader.string("user", of: options, at: path) ?? ""
            seLinuxRole = reader.string("role", of: options, at: path) ?? ""
        }
        if let options = reader.map("windowsOptions", of: context, at: path) {
            isHostProcess = reader.bool("hostProcess", of: options, at: path.field("windowsOptions")) ?? false
        }
    }
}
