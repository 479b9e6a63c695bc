package import Manifest

/// An Event of `events.k8s.io/v1` as its writer knows it.
package struct EventContent: Sendable, Hashable {
    package enum Severity: String, Sendable { case normal = "Normal", warning = "Warning" }

    package var severity: Severity
    package var reason: String
    package var action: String
    /// The object that it is about.
    package var regarding: ObjectID
    /// Empty where it is not known.
    package var regardingUID: String
    /// The version of that object's API, such as `v1`.
    package var regardingVersion: String
    package var note: String

    package init(
        severity: Severity, reason: String, action: String, regarding: ObjectID, regardingUID: String = "",
        regardingVersion: String = "v1", note: String
    ) {
        self.severity = severity
        self.reason = reason
        self.action = action
        self.regarding = regarding
        self.regardingUID = regardingUID
        self.regardingVersion = regardingVersion
        self.note = note
    }

    /// The body of a new Event.
    ///
    /// What the server bounds is cut to its limits (rule L1). The deprecated count and timestamps are left out, as the
    /// server demands.
    ///
    /// - Parameters:
    ///   - name: The Event's own name.
    ///   - namespace: Where it is kept: that of the object; for one of the whole cluster see rule L2.
    ///   - controller: A qualified name, such as `bylaw.dev/controller`.
    ///   - instance: Which of several processes writes it.
    package func body(
        name: String, namespace: String, at time: Timestamp, controller: String, instance: String
    ) -> Tree {
        let group = regarding.group
        var reference: Tree = [
            "apiVersion": .string(group.isEmpty ? regardingVersion : "\(group)/\(regardingVersion)"),
            "kind": .string(regarding.kind), "name": .string(regarding.name),
        ]
        if !regarding.namespace.isEmpty { reference.set(["namespace"], to: .string(regarding.namespace)) }
        if !regardingUID.isEmpty { reference.set(["uid"], to: .string(regardingUID)) }
        return [
            "apiVersion": .string(Resource.event.apiVersion), "kind": .string(Resource.event.kind),
            "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "eventTime": .string(time.description), "type": .string(severity.rawValue),
            "reason": .string(reason.bounded(toBytes: 128)), "action": .string(action.bounded(toBytes: 128)),
            "reportingController": .string(controller.bounded(toBytes: 128)),
            "reportingInstance": .string(instance.bounded(toBytes: 128)),
            "regarding": reference, "note": .string(note.bounded(toBytes: 1024)),
        ]
    }
}
