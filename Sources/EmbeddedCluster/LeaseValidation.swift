import JSON
import Manifest

/// What the server refuses of a Lease.
extension Admission {
    static func validateLease(_ tree: Tree) throws(Refusal) {
        let spec = tree["spec"]
        for field in ["acquireTime", "renewTime"] {
            guard let value = spec?[field], !value.isNull else { continue }
            guard let text = value.string, isMicroTime(text) else {
                throw Refusal(
                    400, reason: "BadRequest",
                    "Lease in version \"v1\" cannot be handled as a Lease: parsing time \(value.jsonText()) as "
                        + "\"2006-01-02T15:04:05.000000Z07:00\"")
            }
        }
        var causes: [(reason: String, message: String, field: String)] = []
        if let duration = spec?["leaseDurationSeconds"]?.integer, duration <= 0 {
            causes.append(
                ("FieldValueInvalid", "Invalid value: \(duration): must be greater than 0", "spec.leaseDurationSeconds")
            )
        }
        if let transitions = spec?["leaseTransitions"]?.integer, transitions < 0 {
            causes.append(
                (
                    "FieldValueInvalid", "Invalid value: \(transitions): must be greater than or equal to 0",
                    "spec.leaseTransitions"
                ))
        }
        guard causes.isEmpty else { throw .invalid(.lease, tree["metadata"]?["name"]?.string ?? "", causes) }
    }

    /// RFC 3339 with exactly six fractional digits (rule K5).
    private static func isMicroTime(_ text: String) -> Bool {
        guard Timestamp(text) != nil, let dot = text.firstIndex(of: ".") else { return false }
        return text[text.index(after: dot)...].prefix { $0.isASCII && $0.isNumber }.count == 6
    }
}
