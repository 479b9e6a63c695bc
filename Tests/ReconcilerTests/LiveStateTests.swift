import Manifest
import Reconciler
import Testing

@Suite struct LiveStateTests {
    private func role(_ name: String, uid: String = "u", version: String) throws -> LiveObject {
        try #require(
            LiveObject(
                [
                    "metadata": [
                        "namespace": "a", "name": .string(name), "uid": .string(uid),
                        "resourceVersion": .string(version),
                    ]
                ],
                of: .role))
    }

    @Test(arguments: [
        ("9", "10", true), ("10", "9", false), ("10", "10", false), ("007", "8", true), ("8", "007", false),
        ("18446744073709551616", "18446744073709551617", true),
    ])
    func versionsCompareAsNumbersOfAnyWidth(version: String, other: String, expected: Bool) {
        #expect(isOlder(version, than: other) == expected)
    }

    @Test func aLateEventDoesNotBringBackAnOlderVersion() throws {
        var state = LiveState()
        #expect(state.store(try role("r", version: "12")))
        #expect(!state.store(try role("r", version: "11")))
        #expect(!state.store(try role("r", version: "12")))
        #expect(state[ObjectID(.role, namespace: "a", name: "r")]?.resourceVersion == "12")
    }

    @Test func aLateEventOfAnEarlierObjectDoesNotHideTheLaterOne() throws {
        var state = LiveState()
        #expect(state.store(try role("r", uid: "new", version: "12")))
        #expect(!state.store(try role("r", uid: "old", version: "11")))
        #expect(state[ObjectID(.role, namespace: "a", name: "r")]?.uid == "new")
    }

    @Test func whatWasDeletedDoesNotComeBack() throws {
        var state = LiveState()
        let id = ObjectID(.role, namespace: "a", name: "r")
        let object = try role("r", uid: "gone", version: "12")
        let isNews = state.store(object)
        #expect(isNews)
        let isRemoved = state.remove(id, uid: "gone")
        #expect(isRemoved)
        #expect(state.lastSeen(id) == object)
        #expect(!state.store(try role("r", uid: "gone", version: "11")), "an event that was on its way")
        _ = state.replace(.role, with: ObjectList(objects: [object], resourceVersion: "12"))
        #expect(state[id] == nil, "a list that was on its way")
        _ = state.replace(.role, with: ObjectList(objects: [object], resourceVersion: "12"), isRewound: true)
        #expect(state[id] == object, "after a restore of the database the same uid is there again")
        #expect(state.lastSeen(id) == nil)
    }

    /// Rule H11: a backup that was put back under higher versions shows no rewind, and its objects live.
    @Test func whatTwoCompleteListsShowIsAliveAgain() throws {
        var state = LiveState()
        let object = try role("r", uid: "back", version: "12")
        _ = state.store(object)
        _ = state.remove(object.id, uid: "back")
        _ = state.replace(.role, with: ObjectList(objects: [object], resourceVersion: "1000"))
        #expect(state[object.id] == nil)
        _ = state.replace(.role, with: ObjectList(objects: [object], resourceVersion: "1000"))
        #expect(state[object.id] == nil, "the same list twice proves nothing")
        let changed = state.replace(.role, with: ObjectList(objects: [object], resourceVersion: "1001"))
        #expect(state[object.id] == object)
        #expect(changed == [object.id])
        let later = try role("r", uid: "back", version: "1002")
        let isNews = state.store(later)
        #expect(isNews)
    }

    @Test func aListOlderThanWhatIsKnownTakesNothingAway() throws {
        var state = LiveState()
        let late = try role("late", uid: "l", version: "20")
        let changed = try role("changed", uid: "c", version: "21")
        _ = state.store(late)
        _ = state.store(changed)
        let list = ObjectList(objects: [try role("changed", uid: "c", version: "9")], resourceVersion: "10")
        let told = state.replace(.role, with: list)
        #expect(told.isEmpty)
        #expect(state[late.id] == late)
        #expect(state[changed.id] == changed)
    }

    @Test func theEndOfAnEarlierObjectLeavesTheLaterOneAlone() throws {
        var state = LiveState()
        let id = ObjectID(.role, namespace: "a", name: "r")
        _ = state.store(try role("r", uid: "new", version: "20"))
        let removesLater = state.remove(id, uid: "old")
        #expect(!removesLater)
        #expect(state[id] != nil)
        let removes = state.remove(id, uid: "new")
        #expect(removes)
        #expect(state[id] == nil)
    }

    @Test func aListTakesThePlaceOfEverythingAndTellsWhatChanged() throws {
        var state = LiveState()
        _ = state.replace(
            .role,
            with: ObjectList(
                objects: [try role("kept", version: "1"), try role("gone", uid: "g", version: "2")],
                resourceVersion: "5"))
        let changed = state.replace(
            .role,
            with: ObjectList(
                objects: [try role("kept", version: "1"), try role("new", uid: "n", version: "6")], resourceVersion: "7"
            ))
        #expect(
            changed == [ObjectID(.role, namespace: "a", name: "gone"), ObjectID(.role, namespace: "a", name: "new")])
        #expect(state.isKnown(.role))
        #expect(!state.isKnown(.namespace))
    }
}

@Suite struct FailurePolicyTests {
    @Test func aBackOffDoublesUpToItsLongest() {
        let backOff = BackOff(first: .milliseconds(100), longest: .seconds(1))
        let waits = (1...6).map { backOff.wait(afterFailures: $0, randomness: 1) }
        #expect(
            waits == [
                .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1),
                .seconds(1),
            ])
        #expect(backOff.wait(afterFailures: 1, randomness: 0) == .milliseconds(50))
        #expect(backOff.wait(afterFailures: 1_000_000, randomness: 0.5) == .milliseconds(750))
    }

    @Test(arguments: ClusterError.Kind.allCases)
    func onlyWhatAPersonMustChangeWaitsForAChange(kind: ClusterError.Kind) {
        let terminal: Set<ClusterError.Kind> = [
            .forbidden, .invalid, .roleRefImmutable, .fieldImmutable, .denied, .resourceNotServed,
        ]
        #expect(classifyFailure(kind, isDrift: false).1 == (terminal.contains(kind) ? .afterChange : .afterBackOff))
    }

    @Test func aFewSlipsAreNoFightAndManyInAMinuteAre() {
        var meter = FightMeter()
        var isFight = false
        for second in 0..<3 { isFight = meter.correct(at: .seconds(second)) }
        #expect(!isFight)
        #expect(meter.pause(at: .seconds(3)) == .zero)
        for second in 3..<12 { isFight = meter.correct(at: .seconds(second)) }
        #expect(isFight)
        let pause = meter.pause(at: .seconds(12))
        #expect(pause > .zero)
        #expect(pause <= FightMeter.longestPause)
        #expect(meter.pause(at: .seconds(900)) == .zero)
    }
}
