import Reconciler
import Testing

/// Expects that the client refuses, or is refused, for one reason.
func expectError(_ kind: ClusterError.Kind, _ body: () async throws(ClusterError) -> Void) async {
    do throws(ClusterError) {
        try await body()
        Issue.record("expected \(kind)")
    } catch {
        #expect(error.kind == kind, "\(error)")
    }
}
