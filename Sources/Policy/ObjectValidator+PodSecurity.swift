import Manifest

extension ObjectValidator {
    private static let prefix = "pod-security.kubernetes.io/"
    private static let levels = ["privileged", "baseline", "restricted"]
    private static let modes = ["enforce", "audit", "warn"]

    /// The six labels of Pod Security admission (rule J1).
    mutating func validatePodSecurityLabels() {
        let path = FieldPath.metadata.field("labels")
        for (key, value) in tree["metadata"]?["labels"]?.members ?? Members() where key.hasPrefix(Self.prefix) {
            let name = String(key.dropFirst(Self.prefix.count))
            let text = value.string ?? ""
            if Self.modes.contains(name) {
                guard !Self.levels.contains(text) else { continue }
                problems.invalid(
                    path.key(key), text, "must be one of \(Self.levels.joined(separator: ", "))",
                    hint: "Write \(nearest(to: text, among: Self.levels) ?? "one of these levels").")
            } else if Self.modes.contains(where: { name == "\($0)-version" }) {
                guard !Self.isVersion(text) else { continue }
                problems.invalid(
                    path.key(key), text, "must be \"latest\" or \"v1.x\"",
                    hint: "Write latest, or v1. and a minor version without a leading zero, as in v1.36.")
            } else {
                let known = Self.modes.flatMap { [$0, "\($0)-version"] }
                let hint = nearest(to: name, among: known).map { "Did you mean \(Self.prefix)\($0)?" }
                problems.warn(
                    path.key(key), "Pod Security does not know this label and ignores it",
                    hint: hint ?? "Use enforce, audit, warn, or one of them with -version.")
            }
        }
    }

    private static func isVersion(_ text: String) -> Bool {
        if text == "latest" { return true }
        guard text.hasPrefix("v1.") else { return false }
        let minor = text.utf8.dropFirst(3)
        return (1...9).contains(minor.count) && minor.allSatisfy { (0x30...0x39).contains($0) }
            && (minor.count == 1 || minor.first != UInt8(ascii: "0"))
    }
}
