/// Which resources quotas and limits may name, as the API server's tables have it.
enum ResourceNames {
    private static let compute: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    /// What a quota may count or sum; names with a slash are free.
    static let quota: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
        "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
        "services.nodeports", "services.loadbalancers",
    ]

    private static let counted: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    ]

    static func isQuota(_ name: String) -> Bool { quota.contains(name) || isHugePagesQuota(name) }

    private static func isHugePages(_ name: String) -> Bool { name.hasPrefix("hugepages-") }
    private static func isHugePagesQuota(_ name: String) -> Bool {
        isHugePages(name) || name.hasPrefix("requests.hugepages-")
    }

    /// A name without a group, or one of Kubernetes' own group.
    private static func isNative(_ name: String) -> Bool {
        !name.contains("/") || name.contains("kubernetes.io/")
    }

    /// Whether a container may ask for more than is set aside for it.
    static func allowsOvercommit(_ name: String) -> Bool { isNative(name) && !isHugePages(name) }

    /// Whether only whole numbers make sense.
    static func isInteger(_ name: String) -> Bool { counted.contains(name) || isExtended(name) }

    private static func isExtended(_ name: String) -> Bool {
        !isNative(name) && !name.hasPrefix("requests.") && Names.qualifiedNameProblems("requests.\(name)").isEmpty
    }

    /// What is wrong with the name of a resource, wherever it stands.
    static func problems(_ name: String) -> [String] {
        let problems = Names.qualifiedNameProblems(name)
        guard problems.isEmpty, !name.contains("/") else { return problems }
        return isQuota(name) || name == "storage" ? [] : ["must be a standard resource type or fully qualified"]
    }

    static func quotaProblems(_ name: String) -> [String] {
        let problems = problems(name)
        guard problems.isEmpty, !name.contains("/"), !isQuota(name) else { return problems }
        return ["must be a standard resource for quota"]
    }

    static func containerProblems(_ name: String) -> [String] {
        let problems = problems(name)
        guard problems.isEmpty else { return problems }
        if !name.contains("/") {
            return compute.contains(name) || isHugePages(name) ? [] : ["must be a standard resource for containers"]
        }
        return isNative(name) || isExtended(name) ? [] : ["doesn't follow extended resource name standard"]
    }

    /// Whether a quota of this scope may name the resource.
    static func isAllowed(_ name: String, in scope: String) -> Bool {
        switch scope {
        case "Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity":
            [
                "pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
            ].contains(name)
        case "BestEffort": name == "pods"
        case "VolumeAttributesClass": name == "persistentvolumeclaims" || name == "requests.storage"
        default: true
        }
    }
}
