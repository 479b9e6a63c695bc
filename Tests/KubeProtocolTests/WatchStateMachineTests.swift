import KubeProtocol
import Manifest
import Testing

/// The rows of the state table of section C that begin at Listing.
@Suite struct ListingStateTests {
    @Test func beginsWithTheFirstPage() {
        #expect(words(WatchStateMachine().start) == ["list"])
    }

    @Test func pagesAreKeptUntilTheLastHasCome() throws {
        var machine = WatchStateMachine()
        #expect(words(machine.receive(try Sample.page(["a"], continuing: "next"))) == ["list next"])
        #expect(words(machine.receive(try Sample.page(["b"], continuing: "last"))) == ["list last"])
        #expect(words(machine.receive(try Sample.page(["c"]))) == ["publish a,b,c @10", "watch 10"])
    }

    @Test func anEmptyListIsPublishedToo() throws {
        var machine = WatchStateMachine()
        #expect(words(machine.receive(try Sample.page([]))) == ["publish  @10", "watch 10"])
    }

    @Test func aListThatExpiredWhilePagingBeginsAnew() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["old"], continuing: "next"))
        #expect(words(machine.fail(Sample.failure(.expired, 410), randomness: 0)) == ["list whole"])
        let published = words(machine.receive(try Sample.page(["a", "b"], version: "20")))
        #expect(published == ["publish a,b @20", "watch 20"], "no page of the list that was given up may be left")
    }

    @Test func anotherErrorBeginsAnewAfterAPauseAndTellsThatWhatIsKnownMayBeStale() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["old"], continuing: "next"))
        let actions = machine.fail(Sample.failure(.busy, 504), randomness: 0)
        #expect(words(actions) == ["report busy", "wait 0.8 seconds", "list"])
        #expect(words(machine.receive(try Sample.page(["a"]))) == ["publish a @10", "watch 10"])
    }

    @Test func aServerOutOfReachIsAskedAgainFromTheFirstPage() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["old"], continuing: "next"))
        #expect(words(machine.interrupt(.unreachable, randomness: 0)) == ["report", "wait 0.8 seconds", "list"])
        #expect(words(machine.receive(try Sample.page(["a"]))) == ["publish a @10", "watch 10"])
    }

    @Test func tooManyRequestsWaitsAsLongAsTheServerAsks() {
        var machine = WatchStateMachine()
        let actions = machine.fail(Sample.failure(.busy, 429, retryAfter: .seconds(7)), randomness: 0)
        #expect(words(actions) == ["report busy", "wait 7.0 seconds", "list"], "nothing of the kind is seen meanwhile")
    }

    @Test func anEventThatComesWhileListingChangesNothing() throws {
        var machine = WatchStateMachine()
        #expect(machine.receive(try Sample.event("ADDED", Sample.tree("a")), randomness: 0).isEmpty)
        #expect(machine.receive(try Sample.error(410, "Expired"), randomness: 0).isEmpty)
        #expect(words(machine.receive(try Sample.page(["b"]))) == ["publish b @10", "watch 10"])
    }
}

/// The rows of the state table that begin at Watching.
@Suite struct WatchingStateTests {
    private func watching(_ version: String = "10") throws -> WatchStateMachine {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"], version: version))
        return machine
    }

    /// Where the watch would go on after it ended as it should.
    private func resumption(of machine: WatchStateMachine) -> [String] {
        var copy = machine
        return words(copy.interrupt(.streamEnded(isShort: false), randomness: 0))
    }

    @Test func beginsAtTheVersionOfTheListAndNotOfAnItem() throws {
        #expect(resumption(of: try watching("4711")) == ["watch 4711"])
    }

    @Test(arguments: ["ADDED", "MODIFIED"])
    func anAddedAndAModifiedObjectAreTheSameNews(_ type: String) throws {
        var machine = try watching()
        let actions = machine.receive(try Sample.event(type, Sample.tree("b", version: "12")), randomness: 0)
        #expect(words(actions) == ["upsert b"])
        #expect(resumption(of: machine) == ["watch 12"])
    }

    @Test func aDeletionIsPassedOnWithWhatTheServerSaysItWas() throws {
        var machine = try watching()
        let actions = machine.receive(
            try Sample.event("DELETED", Sample.tree("a", version: "13", uid: "uid-7")), randomness: 0)
        #expect(words(actions) == ["delete a"])
        guard case .emit(.deleted(let object)) = try #require(actions.first) else { return }
        #expect(object.uid == "uid-7")
        #expect(resumption(of: machine) == ["watch 13"])
    }

    @Test func aBookmarkMovesThePlaceToGoOnFromAndNothingElse() throws {
        var machine = try watching()
        let bookmark: Tree = ["kind": "Role", "metadata": ["resourceVersion": "900719925474099312345"]]
        #expect(machine.receive(try Sample.event("BOOKMARK", bookmark), randomness: 0).isEmpty)
        #expect(resumption(of: machine) == ["watch 900719925474099312345"], "a version is a text, never a number")
    }

    @Test(arguments: ["Expired", "Gone"])
    func anExpiredVersionIsListedAnewAtOnce(_ reason: String) throws {
        var machine = try watching()
        #expect(words(machine.receive(try Sample.error(410, reason), randomness: 0)) == ["list"])
    }

    @Test func anExpiredVersionInTheStatusOfTheAnswerIsTheSame() throws {
        var machine = try watching()
        #expect(words(machine.fail(Sample.failure(.expired, 410), randomness: 0)) == ["list"])
    }

    @Test func nothingIsTakenFromAStreamAfterItsError() throws {
        var machine = try watching()
        _ = machine.receive(try Sample.error(500, "InternalError"), randomness: 0)
        #expect(machine.receive(try Sample.event("ADDED", Sample.tree("b")), randomness: 0).isEmpty)
        #expect(machine.receive(try Sample.error(410, "Expired"), randomness: 0).isEmpty)
    }

    @Test(arguments: [(500, "InternalError"), (504, "Timeout"), (503, "ServiceUnavailable"), (500, ""), (599, "New")])
    func anyOtherErrorListsAnewAfterAPause(_ code: Int, _ reason: String) throws {
        var machine = try watching()
        let actions = words(machine.receive(try Sample.error(code, reason), randomness: 0))
        #expect(actions.suffix(2) == ["wait 0.8 seconds", "list"])
        #expect(actions.first?.hasPrefix("report") == true, "what is known is marked stale")
    }

    @Test func tooManyRequestsKeepsThePlace() throws {
        var machine = try watching()
        _ = machine.receive(try Sample.event("ADDED", Sample.tree("b", version: "12")), randomness: 0)
        let within = machine.receive(try Sample.error(429, "TooManyRequests", retryAfterSeconds: 5), randomness: 0)
        #expect(words(within) == ["wait 5.0 seconds", "watch 12"])
        var refused = try watching()
        let actions = refused.fail(Sample.failure(.busy, 429, retryAfter: .seconds(3)), randomness: 0)
        #expect(words(actions) == ["wait 3.0 seconds", "watch 10"])
    }

    @Test func aShorterRetryAfterThanOurOwnPauseDoesNotShortenIt() throws {
        var machine = try watching()
        let actions = machine.fail(Sample.failure(.busy, 429, retryAfter: .zero), randomness: 0.5)
        #expect(words(actions) == ["wait 1.2 seconds", "watch 10"])
    }

    @Test func aCleanEndGoesOnAtOnce() throws {
        var machine = try watching()
        #expect(words(machine.interrupt(.streamEnded(isShort: false), randomness: 1)) == ["watch 10"])
    }

    @Test func aShortAndEmptyStreamGoesOnAfterAPauseThatGrows() throws {
        var machine = try watching()
        let ends = (0..<3).map { _ in words(machine.interrupt(.streamEnded(isShort: true), randomness: 0)) }
        #expect(
            ends == [
                ["wait 0.8 seconds", "watch 10"], ["wait 1.6 seconds", "watch 10"], ["wait 3.2 seconds", "watch 10"],
            ])
    }

    @Test func aRefusedConnectionKeepsThePlace() throws {
        var machine = try watching()
        #expect(words(machine.interrupt(.unreachable, randomness: 0)) == ["report", "wait 0.8 seconds", "watch 10"])
    }

    @Test func rubbishInAStreamListsAnewAfterAPause() throws {
        var machine = try watching()
        #expect(words(machine.interrupt(.rubbish, randomness: 0)) == ["report", "wait 0.8 seconds", "list"])
    }

    @Test func aPageThatComesWhileWatchingChangesNothing() throws {
        var machine = try watching()
        #expect(machine.receive(try Sample.page(["b"], version: "99")).isEmpty)
        #expect(resumption(of: machine) == ["watch 10"])
    }

    @Test func theResyncTimerListsAnewWhateverTheWatchSays() throws {
        var machine = try watching()
        #expect(words(machine.resync()) == ["list"])
        let published = words(machine.receive(try Sample.page(["a", "missed"], version: "15")))
        #expect(published == ["publish a,missed @15", "watch 15"])
    }
}

/// A resync is a list beside a sound watch: that goes on if the list fails.
@Suite struct FailedResyncTests {
    private func resyncing() throws -> WatchStateMachine {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"], version: "10"))
        _ = machine.receive(try Sample.event("MODIFIED", Sample.tree("a", version: "12")), randomness: 0)
        #expect(words(machine.resync()) == ["list"])
        return machine
    }

    @Test(arguments: [(APIFailure.Kind.busy, 500), (.busy, 504), (.invalid, 400), (.denied, 599)])
    func theWatchGoesOnWhereItWas(_ kind: APIFailure.Kind, _ status: Int) throws {
        var machine = try resyncing()
        #expect(words(machine.fail(Sample.failure(kind, status), randomness: 0)) == ["wait 0.8 seconds", "watch 12"])
        let next = words(machine.receive(try Sample.event("MODIFIED", Sample.tree("a", version: "13")), randomness: 0))
        #expect(next == ["upsert a"])
    }

    @Test(arguments: [WatchStateMachine.Interruption.unreachable, .rubbish])
    func alsoWhereNoAnswerCame(_ interruption: WatchStateMachine.Interruption) throws {
        var machine = try resyncing()
        _ = machine.receive(try Sample.page(["a"], version: "14", continuing: "more"))
        #expect(words(machine.interrupt(interruption, randomness: 0)).last == "watch 12")
    }

    @Test func pagesThatExpireAreListedAnew() throws {
        var machine = try resyncing()
        _ = machine.receive(try Sample.page(["a"], version: "14", continuing: "more"))
        #expect(words(machine.fail(Sample.failure(.expired, 410), randomness: 0)) == ["list whole"])
    }

    @Test func tooManyRequestsIsToldWhereItLasts() throws {
        var machine = try resyncing()
        let busy = Sample.failure(.busy, 429)
        #expect(words(machine.fail(busy, randomness: 0)).first == "report busy")
        var watching = WatchStateMachine()
        _ = watching.receive(try Sample.page(["a"]))
        let told = (1...4).map { _ in words(watching.fail(busy, randomness: 0)).contains("report busy") }
        #expect(told == [false, false, true, true])
    }
}

/// The rows for refused credentials and missing rights, in both states.
@Suite struct RefusedWatchTests {
    @Test func refusedCredentialsAreReadAgainBeforeTheNextTry() throws {
        var machine = WatchStateMachine()
        let failure = Sample.failure(.unauthenticated, 401)
        #expect(
            words(machine.fail(failure, randomness: 0)) == [
                "report unauthenticated", "reload credentials", "wait 0.8 seconds", "list",
            ])
        _ = machine.receive(try Sample.page(["a"]))
        #expect(words(machine.fail(failure, randomness: 0)).last == "watch 10", "the place is kept")
    }

    @Test(arguments: [APIFailure.Kind.forbidden, .resourceNotServed])
    func aMissingRightIsReportedAndTriedAgainSlowly(_ kind: APIFailure.Kind) throws {
        var machine = WatchStateMachine()
        let actions = words(machine.fail(Sample.failure(kind, 403), randomness: 0))
        #expect(actions == ["report \(kind)", "wait 10.0 seconds", "list"])
        #expect(!actions.contains { $0.hasPrefix("publish") }, "a refusal is never an empty list (rule C24)")
    }
}

/// History that went back, as after a restore of etcd (rule C8).
@Suite struct RewoundHistoryTests {
    private func published(_ version: String, after machine: inout WatchStateMachine) throws -> String? {
        _ = machine.resync()
        return words(machine.receive(try Sample.page(["a"], version: version))).first
    }

    @Test(arguments: [
        ("100", "99", true), ("100", "100", false), ("100", "101", false), ("999", "1000", false),
        ("1000", "999", true), ("18446744073709551616", "18446744073709551615", true),
    ])
    func aListBelowTheLastOneTellsThatHistoryWentBack(_ first: String, _ second: String, _ isRewound: Bool) throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"], version: first))
        #expect(try published(second, after: &machine) == "publish a @\(second)" + (isRewound ? " rewound" : ""))
    }

    @Test func whatTheWatchSawCountsAsWell() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"], version: "100"))
        _ = machine.receive(try Sample.event("MODIFIED", Sample.tree("a", version: "150")), randomness: 0)
        #expect(try published("120", after: &machine) == "publish a @120 rewound")
        var quiet = WatchStateMachine()
        _ = quiet.receive(try Sample.page(["a"], version: "100"))
        let bookmark: Tree = ["metadata": ["resourceVersion": "150"]]
        _ = quiet.receive(try Sample.event("BOOKMARK", bookmark), randomness: 0)
        #expect(try published("120", after: &quiet) == "publish a @120 rewound")
    }

    @Test func theNewHistoryIsTheMeasureFromThenOn() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"], version: "100"))
        _ = try published("50", after: &machine)
        #expect(try published("60", after: &machine) == "publish a @60")
    }
}

/// How long it waits (rule C17).
@Suite struct WatchBackOffTests {
    private func pause(_ actions: [WatchStateMachine.Action]) -> Duration? {
        for case .wait(let duration) in actions { return duration }
        return nil
    }

    @Test func doublesToThirtySeconds() {
        var machine = WatchStateMachine()
        let pauses = (0..<8).map { _ in pause(machine.interrupt(.unreachable, randomness: 0)) }
        let expected = [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map { Duration.milliseconds($0) }
        #expect(pauses == expected)
    }

    @Test func staysBoundedHoweverOftenItFails() {
        var machine = WatchStateMachine()
        for _ in 0..<200 { _ = machine.interrupt(.unreachable, randomness: 0) }
        #expect(pause(machine.interrupt(.unreachable, randomness: 1)) == .seconds(60))
    }

    @Test func chanceAddsUpToAsMuchAgain() {
        var machine = WatchStateMachine()
        #expect(pause(machine.interrupt(.unreachable, randomness: 1)) == .milliseconds(1600))
        #expect(pause(machine.interrupt(.unreachable, randomness: 0.5)) == .milliseconds(2400))
    }

    @Test func beginsAnewAfterAHealthyStream() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"]))
        for _ in 0..<5 { _ = machine.interrupt(.unreachable, randomness: 0) }
        _ = machine.interrupt(.streamEnded(isShort: false), randomness: 0)
        #expect(pause(machine.interrupt(.unreachable, randomness: 0)) == .milliseconds(800))
    }

    /// A server that lists well but ends each watch with an error must not be listed at one pace for ever.
    @Test func growsWhereEachWatchFailsAlthoughEachListSucceeds() throws {
        var machine = WatchStateMachine()
        var pauses: [Duration] = []
        for _ in 0..<4 {
            _ = machine.receive(try Sample.page(["a"]))
            pauses.append(try #require(pause(machine.receive(try Sample.error(500, "InternalError"), randomness: 0))))
        }
        #expect(pauses == [800, 1600, 3200, 6400].map { Duration.milliseconds($0) })
    }

    /// The first relist is at once (rule C6), the ones that follow upon nothing but another refusal are not.
    @Test func aListThatExpiresAgainAndAgainIsNotAskedForWithoutAPause() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"]))
        #expect(words(machine.receive(try Sample.error(410, "Expired"), randomness: 0)) == ["list"])
        _ = machine.receive(try Sample.page(["a"]))
        let second = machine.receive(try Sample.error(410, "Expired"), randomness: 0)
        #expect(pause(second) != nil, "\(words(second))")
    }

    /// An outage is what makes versions expire, so the pauses of the outage must not delay the list that mends it.
    @Test func aVersionThatExpiredDuringAnOutageIsListedAnewAtOnce() throws {
        var machine = WatchStateMachine()
        _ = machine.receive(try Sample.page(["a"]))
        for _ in 0..<6 { _ = machine.interrupt(.unreachable, randomness: 0) }
        #expect(words(machine.receive(try Sample.error(410, "Expired"), randomness: 0)) == ["list"])
    }
}
