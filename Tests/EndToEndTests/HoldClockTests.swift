import EmbeddedCluster
import Journal
import KubeClient
import Manifest
import Reconciler
import Testing

/// How a controller keeps to a hold as time goes by, each pass being a restart.
@Suite struct HoldClockTests {
    private let run: RestartedController

    init() async throws { run = try await RestartedController() }

    private func events() async throws -> [String] {
        try await run.entries().map(\.reason).filter { $0.hasPrefix("Hold") }.sorted()
    }

    private func failReads(_ status: Int, count: Int) {
        run.cluster.inject(
            Fault(
                method: "GET", pathPart: "/configmaps/hold",
                effect: .answer(status: status, body: nil, text: "out of order", retryAfter: nil), count: count))
    }

    @Test func aHoldEndsByItselfAndStaysEnded() async throws {
        let first = try await run.commit("pods")
        _ = try await run.pass()
        let second = try await run.commit("services")
        _ = try await run.pass()
        #expect(run.resource == "services")
        try await run.hold(first, for: EmergencyHold.shortest)
        let held = try await run.pass()
        #expect(held.report.hold?.revision == first)
        #expect(held.incidents == [.holdActive])
        #expect(run.resource == "pods")
        run.clock.turn(by: .seconds(59))
        #expect(try await run.pass().report.revision == first)
        run.clock.turn(by: .seconds(1))
        let after = try await run.pass()
        #expect(after.report.revision == second)
        #expect(after.report.hold == nil)
        #expect(after.incidents.isEmpty)
        #expect(run.resource == "services")
        run.clock.turn(by: .seconds(-30))
        #expect(try await run.pass().report.revision == second, "the clock went back, and the hold had ended")
        #expect(try await events() == ["HoldActive", "HoldBegan", "HoldEnded"])
    }

    @Test func aFreezeKeepsTheNewestOneWaitingUntilItIsExtendedNoMore() async throws {
        let first = try await run.commit("pods")
        _ = try await run.pass()
        try await run.hold(first, for: .seconds(600))
        let second = try await run.commit("services")
        #expect(try await run.pass().report.revision == first)
        run.clock.turn(by: .seconds(500))
        try await run.hold(first, for: .seconds(600))
        run.clock.turn(by: .seconds(500))
        #expect(try await run.pass().report.revision == first)
        run.clock.turn(by: .seconds(100))
        #expect(try await run.pass().report.revision == second)
        #expect(try await events() == ["HoldActive", "HoldBegan", "HoldChanged", "HoldEnded"])
    }

    @Test func aBrokenRevisionBehindTheHoldIsRefusedMeanwhile() async throws {
        let first = try await run.commit("pods")
        _ = try await run.pass()
        try await run.hold(first, for: .seconds(600))
        try run.repository.write("kind: Role\n", to: "broken.yaml")
        let broken = try await run.repository.commit("A typo")
        let held = try await run.pass()
        #expect(held.incidents == [.holdActive, .revisionInvalid])
        run.clock.turn(by: .seconds(600))
        let after = try await run.pass()
        #expect(after.report.revision == first, "\(broken) is still refused")
        #expect(after.incidents == [.revisionInvalid])
    }

    @Test func aFailedReadIsNeverNoHold() async throws {
        let first = try await run.commit("pods")
        _ = try await run.pass()
        let second = try await run.commit("services")
        failReads(500, count: 1)
        await #expect(throws: ClusterError.self) { try await run.pass() }
        #expect(run.resource == "pods", "nothing new is taken on while nobody can say")
        #expect(try await run.pass().report.revision == second)
        try await run.hold(first, for: .seconds(600))
        #expect(try await run.pass().report.revision == first)
        failReads(500, count: 1)
        #expect(try await run.pass().report.revision == first, "what was known stays")
        failReads(403, count: 1)
        #expect(try await run.pass().report.revision == first)
        run.clock.turn(by: .seconds(600))
        failReads(403, count: 2)
        #expect(try await run.pass().report.revision == second, "until its own end")
        run.cluster.clearFaults()
    }

    @Test func aHoldThatComesWhileARevisionIsJudgedStillStopsIt() async throws {
        let first = try await run.commit("pods")
        _ = try await run.pass()
        try await run.hold(first, for: .seconds(600))
        _ = try await run.commit("services")
        // The first look is answered as if nothing were there yet.
        let absent: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
            "message": "configmaps \"hold\" not found", "details": ["name": "hold", "kind": "configmaps"],
        ]
        run.cluster.inject(
            Fault(
                method: "GET", pathPart: "/configmaps/hold",
                effect: .answer(status: 404, body: absent, text: "", retryAfter: nil)))
        let held = try await run.pass()
        #expect(held.report.hold?.revision == first)
        #expect(held.report.revision == first)
        #expect(run.resource == "pods")
    }
}
