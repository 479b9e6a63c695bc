import Journal
import Manifest
import Reconciler
import Testing

@Suite struct QueryTests {
    /// Twelve entries that differ in what filters look at.
    static func filled() async throws -> ScratchJournal {
        let scratch = try await ScratchJournal.open()
        let bo = "Bo Özil <bo@example.org>"
        for index in 0..<12 {
            var entry =
                index.isMultiple(of: 3)
                ? Sample.event("event \(index)", at: Int64(index))
                : Sample.correction(
                    Sample.role("role-\(index % 2)", in: index < 6 ? "team-a" : "team-b"), at: Int64(index))
            if index == 7 {
                entry.action = .delete
                entry.outcome = .failed
                entry.reason = .revisionChanged
                entry.object = ObjectID(.clusterRole, name: "role-1")
            }
            if index >= 8, entry.revision != nil {
                entry.revision?.commit = "fedcba98765432100123456789abcdef01234567"
                entry.revision?.author = bo
            }
            try await scratch.journal.record(entry, owned: .unchanged)
        }
        return scratch
    }

    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var found: [Int64]
        var change: @Sendable (inout JournalQuery) -> Void

        init(_ words: String, _ found: [Int64], _ change: @escaping @Sendable (inout JournalQuery) -> Void) {
            (testDescription, self.found, self.change) = (words, found, change)
        }
    }

    @Test(arguments: [
        Example("everything, the newest first", Array((1...12).reversed())) { _ in },
        Example("the oldest first", Array(1...12)) { $0.order = .oldestFirst },
        Example("limit", [12, 11, 10]) { $0.limit = 3 },
        Example("limit of the oldest", [1, 2]) { ($0.limit, $0.order) = (2, .oldestFirst) },
        Example("a word of a message", [10, 7, 4, 1]) { $0.text = TextSearch("EVENT") },
        Example("words in any order", [7]) { $0.text = TextSearch("6 event") },
        Example("words that stand together", []) { $0.text = TextSearch("\"6 event\"") },
        Example("a beginning", [10, 7, 4, 1]) { $0.text = TextSearch("eve*") },
        Example("no beginning without a star", []) { $0.text = TextSearch("eve") },
        Example("a person, without the accent", [12, 11, 9]) { $0.text = TextSearch("ozil") },
        Example("a name with what separates words", [12, 11, 9]) { $0.text = TextSearch("team-b") },
        Example("what stands in a content", [3, 2]) {
            ($0.text, $0.until) = (TextSearch("pods"), Sample.moment(3))
        },
        Example("a word and another filter", [11, 9]) {
            ($0.text, $0.name) = (TextSearch("özil"), "role-0")
        },
        Example("an operator is a word", []) { $0.text = TextSearch("event OR ozil") },
        Example("a column is a word", []) { $0.text = TextSearch("author:bo") },
        Example("a word, the oldest first", [1, 4, 7, 10]) {
            ($0.text, $0.order) = (TextSearch("event"), .oldestFirst)
        },
        Example("a limit of nothing is one", [12]) { $0.limit = 0 },
        Example("since is inclusive", [12, 11]) { $0.since = Sample.moment(10) },
        Example("until is exclusive", [2, 1]) { $0.until = Sample.moment(2) },
        Example("a window", [6, 5, 4]) { ($0.since, $0.until) = (Sample.moment(3), Sample.moment(6)) },
        Example("an empty window", []) { ($0.since, $0.until) = (Sample.moment(6), Sample.moment(3)) },
        Example("reason", [12, 11, 9, 6, 5, 3, 2]) { $0.reason = "DriftCorrected" },
        Example("a reason that nobody knows", []) { $0.reason = "NoSuchReason" },
        Example("incidents", [12, 11, 9, 6, 5, 3, 2]) { $0.isIncidentOnly = true },
        Example("namespace", [12, 11, 9]) { $0.namespace = "team-b" },
        Example("cluster-wide", [8]) { $0.namespace = "" },
        Example("kind", [8]) { $0.objectKind = "ClusterRole" },
        Example("name", [12, 8, 6, 2]) { $0.name = "role-1" },
        Example("object", [6, 2]) { ($0.objectKind, $0.namespace, $0.name) = ("Role", "team-a", "role-1") },
        Example("outcome", [8]) { $0.outcome = .failed },
        Example("the usual outcome", [12, 11, 10, 9, 7, 6, 5, 4, 3, 2, 1]) { $0.outcome = .succeeded },
        Example("action", [8]) { $0.action = .delete },
        Example("the usual action", [12, 11, 9, 6, 5, 3, 2]) { $0.action = .update },
        Example("a whole commit", [12, 11, 9]) { $0.revision = "fedcba98765432100123456789abcdef01234567" },
        Example("the beginning of a commit", [12, 11, 9]) { $0.revision = "FEDC" },
        Example("no such commit", []) { $0.revision = "fedd" },
        Example("no commit id at all", []) { $0.revision = "main%" },
        Example("author by name", [12, 11, 9]) { $0.author = "özil" },
        Example("author by address", [8, 6, 5, 3, 2]) { $0.author = "ANA@" },
        Example("both authors", [12, 11, 9, 8, 6, 5, 3, 2]) { $0.author = "example.org" },
        Example("no such author", []) { $0.author = "%" },
        Example("instance", Array((1...12).reversed())) { $0.instance = "default" },
        Example("another cluster", []) { $0.cluster = "staging" },
        Example("after", [12, 11]) { $0.afterSequence = 10 },
        Example("after the end", []) { $0.afterSequence = 12 },
        Example("after the end of all numbers", []) { $0.afterSequence = .max },
        Example("before the beginning", [12]) { ($0.afterSequence, $0.limit) = (.min, 1) },
        Example("several at once", [6]) {
            ($0.reason, $0.name, $0.afterSequence, $0.author) = ("DriftCorrected", "role-1", 2, "ana")
        },
        Example("two that contradict", []) { ($0.reason, $0.action) = ("Synced", .update) },
        Example("since and after", [11, 12]) {
            ($0.since, $0.afterSequence, $0.order) = (Sample.moment(3), 10, .oldestFirst)
        },
    ])
    func findsWhatWasAskedFor(_ example: Example) async throws {
        let scratch = try await Self.filled()
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        example.change(&query)
        #expect(try await reader.entries(query).map(\.sequence) == example.found)
        query.limit = 100
        if example.testDescription.contains("limit") || query.afterSequence == .min { return }
        let counts = try await reader.outcomeCounts(query)
        #expect(counts.values.reduce(0, +) == Int64(example.found.count))
        #expect(counts[.failed] ?? 0 == (example.found.contains(8) ? 1 : 0))
    }

    @Test func contentIsLeftOutOnRequest() async throws {
        let scratch = try await Self.filled()
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        query.limit = 1
        let whole = try #require(try await reader.entries(query).first)
        query.includesContent = false
        var bare = try #require(try await reader.entries(query).first)
        #expect(bare.before == nil && bare.after == nil && bare.patch == nil)
        (bare.before, bare.after, bare.patch) = (whole.before, whole.after, whole.patch)
        #expect(bare == whole)
    }

    @Test func oneEntryIsFoundByItsNumber() async throws {
        let scratch = try await Self.filled()
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.entry(sequence: 7)?.message == "event 6")
        #expect(try await reader.entry(sequence: 13) == nil)
        #expect(try await reader.entry(sequence: -1) == nil)
        #expect(try await reader.lastSequence() == 12)
    }

    @Test func anEmptyJournalAnswers() async throws {
        let scratch = try await ScratchJournal.open()
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        #expect(try await reader.entries(query).isEmpty)
        #expect(try await reader.outcomeCounts(query).isEmpty)
        (query.author, query.since) = ("a", Sample.start)
        #expect(try await reader.entries(query).isEmpty)
        #expect(try await reader.lastSequence() == 0)
        #expect(try await reader.openIncidents().isEmpty)
    }

    @Test func aClockThatWentBackHidesNoEntryFromAContinuedList() async throws {
        let scratch = try await ScratchJournal.open()
        for (index, seconds) in [50, 40, 30, 20, 10, 60].enumerated() {
            try await scratch.journal.record(Sample.event("\(index)", at: Int64(seconds)), owned: .unchanged)
        }
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        (query.since, query.order, query.limit, query.afterSequence) = (Sample.start, .oldestFirst, 2, 0)
        var seen: [Int64] = []
        while case let page = try await reader.entries(query), let last = page.last {
            seen += page.map(\.sequence)
            query.afterSequence = last.sequence
        }
        #expect(seen == [1, 2, 3, 4, 5, 6])
    }
}
