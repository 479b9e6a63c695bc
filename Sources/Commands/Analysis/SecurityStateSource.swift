import Analysis
import Arguments
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Policy
import PolicyFiles
import Reconciler

/// Reads the state that an analysis is asked about: from manifests where `-f` names some, else from the cluster.
struct SecurityStateSource {
    let invocation: Invocation

    /// A state, and what is known of the server it comes from.
    struct Answer {
        var state: SecurityState
        /// The minor version of Kubernetes 1.N; nil where no server was asked.
        var serverMinorVersion: Int?
        var isCluster: Bool
    }

    /// - Parameter resources: What has to be known; manifests are read whole whatever it says.
    func read(_ resources: [Resource]) async throws -> Answer {
        let paths = invocation.arguments.all("file")
        if let moment = invocation.arguments.text("at") { return try await read(at: moment, paths) }
        guard paths.isEmpty else { return try readManifests(paths) }
        let cluster = try cluster()
        var objects: [StateObject] = []
        for resource in resources {
            objects += try await Self.objects(of: resource, in: cluster)
        }
        return Answer(
            state: SecurityState(objects), serverMinorVersion: minorVersion(try await cluster.serverVersion()),
            isCluster: true)
    }

    /// What was managed at an earlier moment, out of the journal; what never is in it, such as pods, from manifests.
    private func read(at moment: String, _ paths: [String]) async throws -> Answer {
        let others = paths.isEmpty ? [] : Array(try readManifests(paths).state.objects.values)
        let state = try await PastStateSource(invocation: invocation).securityState(at: moment, with: others)
        return Answer(state: state, serverMinorVersion: nil, isCluster: false)
    }

    /// All objects of a kind, with what an analysis may look at.
    ///
    /// A failed read is never an empty answer: it ends the command. Only of a kind that the server does not have at all there
    /// can be no objects; CronJobs had another version before Kubernetes 1.21.
    static func objects(of resource: Resource, in cluster: KubeCluster) async throws(ClusterError) -> [StateObject] {
        do throws(ClusterError) {
            return try await cluster.list(resource).objects.sorted { $0.id < $1.id }
                .map { StateObject(id: $0.id, tree: reduced($0.tree, of: resource)) }
        } catch {
            guard error.kind == .resourceNotServed, resource == .cronJob else { throw error }
            var older = resource
            older.version = "v1beta1"
            return try await objects(of: older, in: cluster)
        }
    }

    func cluster() throws -> KubeCluster {
        let wiring = Wiring(invocation)
        return wiring.cluster(try wiring.endpoint(), instance: "analysis")
    }

    private func readManifests(_ paths: [String]) throws -> Answer {
        let load: DirectoryLoad
        do throws(DirectoryError) {
            load = try loadManifests(
                at: paths, defaultNamespace: invocation.arguments.text("namespace") ?? "default")
        } catch {
            throw CommandFailure(message: "\(error.path): \(error.message)", hint: error.hint)
        }
        let errors = load.findings.filter { $0.severity == .error }
        guard errors.isEmpty else {
            invocation.terminal.writeError(renderFindings(errors, on: invocation.terminal))
            throw CommandFailure(
                message: "the manifests have \(errors.count) \(errors.count == 1 ? "mistake" : "mistakes")",
                hint: "Correct them, or name other files with -f: an answer from a part of them would be wrong.")
        }
        guard !load.state.objects.isEmpty else {
            throw CommandFailure(
                message: "\(paths.joined(separator: ", ")): there is no object in these manifests",
                hint: "Name files or folders that end in .yaml, .yml or .json.")
        }
        let state = SecurityState(load.state)
        return Answer(
            state: state, serverMinorVersion: state.clusterFacts?.serverVersion.flatMap(minorVersion),
            isCluster: state.clusterFacts != nil)
    }
}

/// The N of `v1.N.P`; nil for anything else.
func minorVersion(_ version: String) -> Int? {
    let parts = version.drop { $0 == "v" }.split(separator: ".")
    guard parts.count >= 2, parts[0] == "1" else { return nil }
    return Int(parts[1].prefix { $0.isASCII && $0.isNumber })
}
