package import Manifest

/// What a request is about, as the API server notes it (`objectRef`).
package struct AuditTarget: Sendable, Equatable {
    package var group: String
    package var version: String
    /// The plural, such as `clusterroles`.
    package var resource: String
    package var subresource: String
    package var namespace: String
    /// Empty where a POST lets the server choose the name, and for deletions of many (rule M7).
    package var name: String
    /// What the client wrote; it need not be the object's.
    package var uid: String
    /// What the client wrote: for an update the version that it replaces.
    package var resourceVersion: String

    package init(
        group: String, version: String = "v1", resource: String, subresource: String = "", namespace: String = "",
        name: String = "", uid: String = "", resourceVersion: String = ""
    ) {
        self.group = group
        self.version = version
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    /// The managed kind that it is, or nil.
    package var managedResource: Resource? { Resource.managed.first { $0.group == group && $0.plural == resource } }
}

extension AuditTarget {
    /// Reads the reference; nil where it names no resource, or something longer than what is kept.
    init?(_ tree: Tree, limits: AuditLimits) {
        func text(_ key: String) -> String { tree[key]?.string ?? "" }
        let names = ["resource", "subresource", "namespace", "name", "apiGroup", "apiVersion"].map(text)
        // A name that was cut would be the name of another object.
        guard !text("resource").isEmpty, names.allSatisfy({ $0.utf8.count <= limits.maximumNameBytes }) else {
            return nil
        }
        var group = text("apiGroup")
        var version = text("apiVersion")
        // The first servers wrote both into one.
        if group.isEmpty, let slash = version.lastIndex(of: "/") {
            group = String(version[..<slash])
            version = String(version[version.index(after: slash)...])
        }
        self.init(
            group: group, version: version, resource: text("resource"), subresource: text("subresource"),
            namespace: text("namespace"), name: text("name"),
            uid: text("uid").bounded(toBytes: limits.maximumTextBytes),
            resourceVersion: text("resourceVersion").bounded(toBytes: limits.maximumTextBytes))
    }
}
