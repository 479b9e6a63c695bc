/// One entry of `metadata.managedFields`: who wrote which fields last.
///
/// The names are chosen by clients and prove nothing (rule A17).
package struct FieldManagerEntry: Sendable, Equatable {
    package enum Operation: String, Sendable { case apply = "Apply", update = "Update" }

    package var manager: String
    package var operation: Operation
    /// Such as `status` or `scale`; empty for the object itself.
    package var subresource: String
    /// RFC 3339; may be missing (rule D18).
    package var time: String?
    /// The set of fields in the `FieldsV1` form.
    package var fields: Tree
}

extension LiveObject {
    /// The field managers, leniently read: an entry that makes no sense is left out (rule D18).
    package var fieldManagers: [FieldManagerEntry] {
        (metadata["managedFields"]?.array ?? []).compactMap { entry in
            guard let operation = entry["operation"]?.string.flatMap(FieldManagerEntry.Operation.init(rawValue:)) else {
                return nil
            }
            return FieldManagerEntry(
                manager: entry["manager"]?.string ?? "", operation: operation,
                subresource: entry["subresource"]?.string ?? "", time: entry["time"]?.string,
                fields: entry["fieldsV1"] ?? .object(Members()))
        }
    }
}
