import Manifest
import Planning
import Reconciler
import Testing

@Suite struct WorkQueueTests {
    private func role(_ name: String, in namespace: String = "a") -> ObjectID {
        ObjectID(.role, namespace: namespace, name: name)
    }
    private func binding(_ name: String, in namespace: String = "a") -> ObjectID {
        ObjectID(.roleBinding, namespace: namespace, name: name)
    }
    private func namespace(_ name: String) -> ObjectID { ObjectID(.namespace, name: name) }

    /// Takes everything that may be worked on now.
    private func takeAll(_ queue: inout WorkQueue, at now: Duration = .zero) -> [ObjectID] {
        var taken: [ObjectID] = []
        while let id = queue.next(at: now) { taken.append(id) }
        return taken
    }

    @Test func aStageWaitsForWhatWasAddedBeforeIt() {
        var queue = WorkQueue()
        queue.add(namespace("a"), stage: .namespace)
        queue.add(role("reader"), stage: .role)
        queue.add(binding("reads"), stage: .binding)
        #expect(takeAll(&queue) == [namespace("a")])
        queue.finish(namespace("a"))
        #expect(takeAll(&queue) == [role("reader")])
        queue.finish(role("reader"))
        #expect(takeAll(&queue) == [binding("reads")])
        queue.finish(binding("reads"))
        #expect(queue.activeCount == 0)
    }

    /// Whoever writes an object all the time does not have it tried without a pause; drift is looked at at once.
    @Test(arguments: [false, true]) func whatFailedAndIsAddedMeanwhilePauses(_ isUrgent: Bool) {
        var queue = WorkQueue()
        queue.add(role("r"), stage: .role)
        #expect(takeAll(&queue) == [role("r")])
        if isUrgent { queue.addUrgent(role("r")) } else { queue.add(role("r"), stage: .revoke) }
        queue.addDelayed(role("r"), due: .seconds(300), dueIfAdded: .seconds(1))
        queue.finish(role("r"))
        #expect(takeAll(&queue) == (isUrgent ? [role("r")] : []))
        #expect(takeAll(&queue, at: .seconds(1)) == (isUrgent ? [] : [role("r")]))
    }

    @Test func oneNamespaceDoesNotWaitForAnother() {
        var queue = WorkQueue()
        queue.add(namespace("a"), stage: .namespace)
        queue.add(role("reader", in: "a"), stage: .role)
        queue.add(role("reader", in: "b"), stage: .role)
        #expect(takeAll(&queue) == [namespace("a"), role("reader", in: "b")])
    }

    @Test func aRevocationGoesFirstEvenInAnotherNamespace() {
        var queue = WorkQueue()
        queue.add(role("reader", in: "a"), stage: .role)
        queue.add(binding("admins", in: "b"), stage: .revoke)
        #expect(takeAll(&queue).first == binding("admins", in: "b"))
    }

    @Test func aBindingWaitsForTheClusterRoleItNames() {
        var queue = WorkQueue()
        let clusterRole = ObjectID(.clusterRole, name: "auditor")
        queue.add(clusterRole, stage: .role)
        queue.add(binding("audits"), stage: .binding, after: clusterRole)
        #expect(takeAll(&queue) == [clusterRole])
        queue.finish(clusterRole)
        #expect(takeAll(&queue) == [binding("audits")])
    }

    @Test func driftOvertakesEverything() {
        var queue = WorkQueue()
        queue.add(namespace("a"), stage: .namespace)
        queue.add(role("reader"), stage: .role)
        queue.addUrgent(role("reader"))
        #expect(queue.next(at: .zero) == role("reader"))
    }

    @Test func whatAPlanPutBehindItWaitsForTheUrgentAsWell() {
        var queue = WorkQueue()
        queue.add(namespace("a"), stage: .namespace)
        queue.add(role("reader"), stage: .role)
        queue.addUrgent(namespace("a"))
        #expect(takeAll(&queue) == [namespace("a")])
        queue.finish(namespace("a"))
        #expect(takeAll(&queue) == [role("reader")])
    }

    @Test func neverHandsOutOneNameTwiceAtOnce() {
        var queue = WorkQueue()
        queue.addUrgent(role("reader"))
        #expect(takeAll(&queue) == [role("reader")])
        queue.addUrgent(role("reader"))
        #expect(takeAll(&queue) == [])
        queue.finish(role("reader"))
        #expect(takeAll(&queue) == [role("reader")])
        queue.finish(role("reader"))
        #expect(takeAll(&queue) == [])
        #expect(queue.activeCount == 0)
    }

    @Test func aDelayedNameComesWhenItIsDue() {
        var queue = WorkQueue()
        queue.addDelayed(role("b"), due: .seconds(5))
        queue.addDelayed(role("a"), due: .seconds(2))
        #expect(queue.nextDue == .seconds(2))
        #expect(takeAll(&queue, at: .seconds(1)) == [])
        #expect(queue.activeCount == 0)
        #expect(takeAll(&queue, at: .seconds(2)) == [role("a")])
        #expect(takeAll(&queue, at: .seconds(9)) == [role("b")])
    }

    @Test func aDelayAskedForDuringTheWorkTakesEffectAfterIt() {
        var queue = WorkQueue()
        queue.addUrgent(role("a"))
        #expect(queue.next(at: .zero) == role("a"))
        queue.addDelayed(role("a"), due: .seconds(3))
        queue.finish(role("a"))
        #expect(takeAll(&queue, at: .seconds(1)) == [])
        #expect(takeAll(&queue, at: .seconds(3)) == [role("a")])
    }

    @Test func urgencyEndsADelay() {
        var queue = WorkQueue()
        queue.addDelayed(role("a"), due: .seconds(300))
        queue.addUrgent(role("a"))
        #expect(takeAll(&queue) == [role("a")])
        queue.finish(role("a"))
        #expect(takeAll(&queue, at: .seconds(301)) == [])
        #expect(queue.delayedCount == 0)
    }

    /// What fails slowly must not keep drift, a revocation or the rest of a revision waiting.
    @Test func retriesComeBehindWhatTakesAwayAndAreFew() {
        var queue = WorkQueue(maximumRetries: 2)
        for number in 0..<5 { queue.addDelayed(role("\(number)"), due: .seconds(number)) }
        queue.add(role("new", in: "b"), stage: .role)
        queue.add(binding("admins", in: "c"), stage: .revoke)
        queue.addUrgent(role("drift", in: "d"))
        #expect(
            takeAll(&queue, at: .seconds(9)) == [
                role("drift", in: "d"), binding("admins", in: "c"), role("0"), role("1"), role("new", in: "b"),
            ])
        #expect(takeAll(&queue, at: .seconds(9)) == [])
        #expect(queue.activeCount == 8)
        queue.finish(role("0"))
        #expect(takeAll(&queue, at: .seconds(9)) == [role("2")])
        queue.finish(role("1"))
        queue.addUrgent(role("4"))
        #expect(takeAll(&queue, at: .seconds(9)) == [role("4"), role("3")])
    }

    @Test func aLaterPlanMovesANameToItsNewStage() {
        var queue = WorkQueue()
        queue.add(namespace("a"), stage: .namespace)
        queue.add(binding("later"), stage: .role)
        queue.add(binding("sooner"), stage: .binding)
        queue.add(binding("later"), stage: .loosen)
        queue.add(binding("sooner"), stage: .revoke)
        #expect(takeAll(&queue) == [binding("sooner"), namespace("a")])
        queue.add(role("between"), stage: .role)
        queue.finish(binding("sooner"))
        queue.finish(namespace("a"))
        #expect(takeAll(&queue) == [role("between")])
        queue.finish(role("between"))
        #expect(takeAll(&queue) == [binding("later")])
    }

    /// What loosens must not slip through while what protects is looked at once more, or moves to another stage.
    @Test func whatLoosensWaitsForEveryLookAtWhatProtects() {
        var queue = WorkQueue()
        let protection = ObjectID(.networkPolicy, namespace: "a", name: "deny")
        let opening = ObjectID(.networkPolicy, namespace: "a", name: "allow")
        queue.add(protection, stage: .networkPolicy)
        queue.add(opening, stage: .loosen)
        #expect(takeAll(&queue) == [protection])
        queue.add(protection, stage: .isolation)
        queue.finish(protection)
        #expect(takeAll(&queue) == [protection], "added while it ran: its second look counts too")
        queue.finish(protection)
        #expect(takeAll(&queue) == [opening])
    }

    /// A plan may turn what runs, or is urgent, into an opening: then it goes last as any other.
    @Test func whatBecomesAnOpeningLosesItsUrgency() {
        var queue = WorkQueue()
        let running = ObjectID(.networkPolicy, namespace: "a", name: "running")
        let urgent = ObjectID(.networkPolicy, namespace: "a", name: "urgent")
        let protection = ObjectID(.networkPolicy, namespace: "a", name: "deny")
        queue.add(running, stage: .networkPolicy)
        #expect(takeAll(&queue) == [running])
        queue.addUrgent(urgent)
        // In the order of a plan.
        queue.add(protection, stage: .isolation)
        queue.add(running, stage: .loosen)
        queue.add(urgent, stage: .loosen)
        queue.finish(running)
        #expect(takeAll(&queue) == [protection])
        queue.finish(protection)
        #expect(Set(takeAll(&queue)) == [running, urgent])
    }

    @Test func whatLoosensWaitsForARetryThatAPlanWantsAgain() {
        var queue = WorkQueue()
        let protection = ObjectID(.networkPolicy, namespace: "a", name: "deny")
        let opening = ObjectID(.networkPolicy, namespace: "a", name: "allow")
        queue.addDelayed(protection, due: .zero)
        #expect(takeAll(&queue) == [protection])
        queue.add(protection, stage: .isolation)
        queue.add(opening, stage: .loosen)
        #expect(takeAll(&queue) == [])
        queue.finish(protection)
        #expect(takeAll(&queue) == [protection])
        queue.finish(protection)
        #expect(takeAll(&queue) == [opening])
        queue.finish(opening)
        #expect(queue.activeCount == 0)
    }

    @Test func aMoveToAnotherStageLetsNothingSlipThrough() {
        var queue = WorkQueue()
        let protection = ObjectID(.networkPolicy, namespace: "a", name: "deny")
        let opening = ObjectID(.networkPolicy, namespace: "a", name: "allow")
        queue.add(protection, stage: .networkPolicy)
        queue.add(opening, stage: .loosen)
        queue.add(protection, stage: .isolation)
        #expect(takeAll(&queue) == [protection])
    }

    @Test func aDueRetryTakesThePlaceThatAPlanGivesIt() {
        var queue = WorkQueue(maximumRetries: 1)
        for name in ["a", "b", "c"] { queue.addDelayed(role(name), due: .zero) }
        #expect(takeAll(&queue) == [role("a")])
        queue.add(role("c"), stage: .revoke)
        #expect(takeAll(&queue) == [role("c")])
        queue.finish(role("a"))
        #expect(takeAll(&queue) == [role("b")])
    }

    @Test func aPausedCorrectionIsNoRetry() {
        var queue = WorkQueue(maximumRetries: 1)
        queue.addDelayed(role("slow"), due: .zero)
        queue.addDelayed(role("slow too"), due: .zero)
        queue.addDelayed(role("drift"), due: .zero, isUrgent: true)
        #expect(takeAll(&queue) == [role("drift"), role("slow")])
    }

    @Test func tenThousandNamesInOneNamespaceAreHandedOutInOrder() {
        var queue = WorkQueue()
        for number in 0..<10_000 {
            queue.add(role("\(number)"), stage: .role)
            queue.add(binding("\(number)"), stage: .binding)
        }
        var order: [Stage] = []
        while let id = queue.next(at: .zero) {
            order.append(id.kind == "Role" ? .role : .binding)
            queue.finish(id)
        }
        #expect(order.count == 20_000)
        #expect(order.firstIndex(of: .binding).map { $0 >= 1 } == true)
    }
}
