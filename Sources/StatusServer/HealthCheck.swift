/// One thing that has to be so for a process to be alive, or ready.
struct HealthCheck: Sendable, Equatable {
    /// One word, as a path has it.
    var name: String
    var isPassed: Bool
}

/// The answer of a health endpoint in the manner of Kubernetes' own components.
///
/// Why a check failed is in the log: whoever may reach the port need not learn that.
struct HealthAnswer: Equatable {
    var status: Int
    var text: String

    /// - Parameters:
    ///   - name: Of the endpoint, such as `readyz`.
    ///   - isVerbose: Whether the checks are listed also where all of them pass.
    init(_ checks: [HealthCheck], of name: String, isVerbose: Bool) {
        let isPassed = checks.allSatisfy(\.isPassed)
        status = isPassed ? 200 : 500
        guard isVerbose || !isPassed else {
            text = "ok"
            return
        }
        text =
            checks.map { $0.isPassed ? "[+]\($0.name) ok\n" : "[-]\($0.name) failed: reason withheld\n" }.joined()
            + "\(name) check \(isPassed ? "passed" : "failed")"
    }
}
