package import Manifest

/// Keeps one kind listed and watched: a pure state machine after the table of section C.
///
/// It is told what happened and answers what to do; it holds no clock, no connection and no objects but those of a list
/// that is not complete yet.
///
///     listing ── last page ──> watching(version) ── clean end, idle, refused, 429 ──> watching(version), later or at once
///        ^                          │
///        └── 410, 500, other, rubbish, resync timer; a resync that fails goes back to watching(version)
package struct WatchStateMachine: Sendable {
    package enum Action: Sendable {
        case list(continuing: String?)
        /// A list in one page: its pages expired under way (rule C3).
        case listWhole
        /// The list is complete: it takes the place of everything known. A watch is to be opened next.
        case publish([LiveObject], resourceVersion: String, isRewound: Bool)
        case watch(from: String)
        case emit(WatchEvent)
        case wait(Duration)
        /// What is known may be out of date until the next publication.
        case report(APIFailure?)
        case reloadCredentials
    }

    /// Why a request did not come to an answer.
    package enum Interruption: Sendable, Equatable {
        /// Refused or reset before anything was read, or the whole server did not answer.
        case unreachable
        /// The stream ended as it should, or fell silent, or its connection was lost.
        case streamEnded(isShort: Bool)
        /// Something that is not what the API promises.
        case rubbish
    }

    private enum State: Sendable {
        /// Nothing is known, and a list is asked for.
        static var beginning: State { .listing(pages: [], continuation: nil, resumable: nil) }

        /// `resumable` is where the watch goes on should this list fail: it was begun by the timer alone.
        case listing(pages: [LiveObject], continuation: String?, resumable: String?)
        case watching(version: String)
    }

    private var state = State.beginning
    private var failuresInARow = 0
    private var expirationsInARow = 0
    private var highestListVersion: String?

    /// A watch that starts at a list's version replays nothing, so each event's version may be resumed from (rule C10).
    package init() {}

    /// What to do first.
    package var start: [Action] { [.list(continuing: nil)] }

    /// A page of the list came.
    package mutating func receive(_ page: ListPage) -> [Action] {
        guard case .listing(var pages, _, let resumable) = state else { return [] }
        pages += page.objects
        if let token = page.continuation {
            state = .listing(pages: pages, continuation: token, resumable: resumable)
            return [.list(continuing: token)]
        }
        let isRewound = highestListVersion.map { isOlder(page.resourceVersion, than: $0) } ?? false
        highestListVersion = page.resourceVersion
        state = .watching(version: page.resourceVersion)
        return [
            .publish(pages, resourceVersion: page.resourceVersion, isRewound: isRewound),
            .watch(from: page.resourceVersion),
        ]
    }

    /// An event of the watch came.
    package mutating func receive(_ event: WatchEvent, randomness: Double) -> [Action] {
        guard case .watching = state else { return [] }
        switch event {
        case .upserted(let object), .deleted(let object):
            note(version: object.resourceVersion)
            noteHealth()
            return [.emit(event)]
        case .bookmark(let version):
            note(version: version)
            noteHealth()
            return []
        case .failed(let failure):
            // Any error event ends the stream (rule C7).
            return fail(failure, randomness: randomness)
        }
    }

    /// A list or watch was refused, or a watch ended with an error.
    package mutating func fail(_ failure: APIFailure, randomness: Double) -> [Action] {
        if failure.kind == .expired {
            // History is gone from under us: list anew, at once the first time (rule C6), whatever went wrong before.
            expirationsInARow += 1
            let pause: [Action] =
                expirationsInARow > 1 ? [.wait(backOff(randomness, after: expirationsInARow - 1))] : []
            let wasPaging = if case .listing(_, _?, _) = state { true } else { false }
            state = .beginning
            return pause + [wasPaging ? .listWhole : .list(continuing: nil)]
        }
        failuresInARow += 1
        switch failure.kind {
        case .unauthenticated:
            return [.report(failure), .reloadCredentials, .wait(backOff(randomness))] + again()
        case .forbidden, .resourceNotServed:
            state = .beginning
            return [.report(failure), .wait(max(backOff(randomness), .seconds(10))), .list(continuing: nil)]
        case .busy where failure.status == 429:
            // Nobody sees what is not listed or watched: that is told, unless it passes at once.
            let isSeen = if case .watching = state { failuresInARow < 3 } else { false }
            return (isSeen ? [] : [.report(failure)])
                + [.wait(max(failure.retryAfter ?? .zero, backOff(randomness)))] + again()
        default:
            if case .listing(_, _, _?) = state {
                return [.wait(max(failure.retryAfter ?? .zero, backOff(randomness)))] + again()
            }
            state = .beginning
            return [
                .report(failure), .wait(max(failure.retryAfter ?? .zero, backOff(randomness))), .list(continuing: nil),
            ]
        }
    }

    /// A request ended without an answer.
    package mutating func interrupt(_ interruption: Interruption, randomness: Double) -> [Action] {
        switch (interruption, state) {
        case (.streamEnded(false), .watching(let version)):
            noteHealth()
            return [.watch(from: version)]
        case (.streamEnded(true), .watching(let version)):
            failuresInARow += 1
            return [.wait(backOff(randomness)), .watch(from: version)]
        case (.unreachable, _):
            failuresInARow += 1
            return [.report(nil), .wait(backOff(randomness))] + again()
        case (_, .listing(_, _, _?)):
            failuresInARow += 1
            return [.wait(backOff(randomness))] + again()
        default:
            failuresInARow += 1
            state = .beginning
            return [.report(nil), .wait(backOff(randomness)), .list(continuing: nil)]
        }
    }

    /// The time for the safety net has come: a complete list, whatever the watch says (rule C8).
    ///
    /// The watch goes on where it was should the list fail: it still tells of every change.
    package mutating func resync() -> [Action] {
        let resumable: String? = if case .watching(let version) = state { version } else { nil }
        state = .listing(pages: [], continuation: nil, resumable: resumable)
        return [.list(continuing: nil)]
    }

    /// A watch that delivers, or ends as it should: a list alone may succeed before each watch that fails.
    private mutating func noteHealth() {
        failuresInARow = 0
        expirationsInARow = 0
    }

    private mutating func note(version: String) {
        state = .watching(version: version)
        if highestListVersion.map({ isOlder($0, than: version) }) ?? true { highestListVersion = version }
    }

    private mutating func again() -> [Action] {
        switch state {
        case .watching(let version): return [.watch(from: version)]
        case .listing(_, _, let version?):
            state = .watching(version: version)
            return [.watch(from: version)]
        case .listing:
            state = .beginning
            return [.list(continuing: nil)]
        }
    }

    /// 0.8 s doubling to 30 s, with up to as much again by chance (rule C17).
    private func backOff(_ randomness: Double, after count: Int? = nil) -> Duration {
        let base = min(
            Duration.milliseconds(800) * Int(1 << min(max((count ?? failuresInARow) - 1, 0), 10)), .seconds(30))
        return base * (1 + randomness)
    }
}
