package import Manifest
import Tracing

/// Reads every object of every managed kind.
///
/// Kinds that may not be read, or that the server does not serve, are left out of the answer's known kinds; every other
/// failure ends the whole, since a failed read is not an empty cluster.
///
/// A server that was too busy for a list is asked again, three times in all; `sleep` waits in between.
package func gatherLiveState(
    from cluster: any ClusterAPI, sleep: @escaping @Sendable (Duration) async throws -> Void
) async throws(ClusterError) -> (state: LiveState, unreadable: [(Resource, ClusterError)]) {
    try await gatherLiveState(from: cluster, sleep: sleep, span: nil)
}

/// The same, with a span for each list.
func gatherLiveState(
    from cluster: any ClusterAPI, sleep: @escaping @Sendable (Duration) async throws -> Void, span: OpenSpan?
) async throws(ClusterError) -> (state: LiveState, unreadable: [(Resource, ClusterError)]) {
    let answers = await withTaskGroup(of: (Resource, Result<ObjectList, ClusterError>).self) { group in
        for resource in Resource.managed {
            group.addTask {
                do throws(ClusterError) {
                    let answer = try await span.part("list", .client) { part throws(ClusterError) in
                        part?.add([SpanAttribute("bylaw.object.kind", resource.kind)])
                        return try await list(resource, from: cluster, sleep: sleep)
                    }
                    return (resource, .success(answer))
                } catch {
                    return (resource, .failure(error))
                }
            }
        }
        var answers: [(Resource, Result<ObjectList, ClusterError>)] = []
        for await answer in group { answers.append(answer) }
        return answers
    }
    var state = LiveState()
    var unreadable: [(Resource, ClusterError)] = []
    for (resource, answer) in answers {
        switch answer {
        case .success(let list): _ = state.replace(resource, with: list)
        case .failure(let error):
            guard error.kind == .forbidden || error.kind == .resourceNotServed else { throw error }
            unreadable.append((resource, error))
        }
    }
    return (state, unreadable)
}

private func list(
    _ resource: Resource, from cluster: any ClusterAPI, sleep: (Duration) async throws -> Void
) async throws(ClusterError) -> ObjectList {
    for pause in [Duration.seconds(1), .seconds(3)] {
        do throws(ClusterError) {
            return try await cluster.list(resource)
        } catch {
            let busy = error
            guard busy.kind == .busy else { throw busy }
            // A server may ask for more patience than somebody has who waits for one pass.
            do { try await sleep(min(max(pause, busy.retryAfter ?? pause), .seconds(10))) } catch { throw busy }
        }
    }
    return try await cluster.list(resource)
}
