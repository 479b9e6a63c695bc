import Manifest

/// What the server refuses of Events of `events.k8s.io/v1` (rules L1 to L3).
enum EventValidation {
    static func validate(_ tree: Tree, over old: Tree?) throws(Refusal) {
        let name = tree["metadata"]?["name"]?.string ?? ""
        var causes: [(String, String, String)] = []
        func require(_ field: String, atMost limit: Int) {
            guard let text = tree[field]?.string, !text.isEmpty else {
                causes.append(("FieldValueRequired", "Required value", field))
                return
            }
            guard text.utf8.count > limit else { return }
            causes.append(("FieldValueInvalid", "Invalid value: can have at most \(limit) characters", field))
        }
        let time = tree["eventTime"]?.string
        if time == nil { causes.append(("FieldValueRequired", "Required value", "eventTime")) }
        if let time, !isMicroTime(time) {
            throw Refusal(
                400, reason: "BadRequest", "parsing time \"\(time)\" as \"2006-01-02T15:04:05.000000Z07:00\"")
        }
        for field in ["reason", "action", "reportingController", "reportingInstance"] { require(field, atMost: 128) }
        if let controller = tree["reportingController"]?.string, controller.contains(where: { " :".contains($0) }) {
            causes.append(("FieldValueInvalid", "Invalid value: name part must consist of", "reportingController"))
        }
        if !["Normal", "Warning"].contains(tree["type"]?.string ?? "") {
            causes.append(("FieldValueInvalid", "Invalid value: has invalid value", "type"))
        }
        if let note = tree["note"]?.string, note.utf8.count > 1024 {
            causes.append(("FieldValueInvalid", "Invalid value: can have at most 1024 characters", "note"))
        }
        for field in ["deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource"]
        where tree[field] != nil {
            causes.append(("FieldValueInvalid", "Invalid value: needs to be unset", field))
        }
        let namespace = tree["regarding"]?["namespace"]?.string ?? "default"
        if tree["metadata"]?["namespace"]?.string != namespace {
            causes.append(
                ("FieldValueInvalid", "Invalid value: does not match event.namespace", "involvedObject.namespace"))
        }
        if let series = tree["series"], !series.isNull, (series["count"]?.integer ?? 0) < 2 {
            causes.append(("FieldValueInvalid", "Invalid value: should be at least 2", "series.count"))
        }
        if let old { causes += changes(of: old, to: tree) }
        guard causes.isEmpty else { throw .invalid(.event, name, causes) }
    }

    /// Only the series may change.
    private static func changes(of old: Tree, to new: Tree) -> [(String, String, String)] {
        ["eventTime", "type", "reason", "action", "reportingController", "reportingInstance", "regarding", "note"]
            .filter { old[$0] != new[$0] }.map { ("FieldValueInvalid", "Invalid value: field is immutable", $0) }
    }

    /// Exactly six digits of a fraction, and `Z` (rule K5).
    private static func isMicroTime(_ text: String) -> Bool {
        guard Timestamp(text) != nil, let point = text.firstIndex(of: ".") else { return false }
        return text[point...].dropFirst().dropLast().count == 6 && text.hasSuffix("Z")
    }
}
