import Commands
import JSON
import Journal
import Manifest
import Reconciler
import Testing

@Suite struct JournalRenderingTests {
    @Test func theTableShowsOneEntryALine() {
        let entries = [JournalSample.correction, JournalSample.sync]
        #expect(
            renderEntryTable(entries, width: nil, isColoured: false) == """
                SEQ  TIME                  WHAT    OBJECT                             REASON          OUTCOME    ACTOR/AUTHOR  REVISION
                42   2026-03-01T12:00:00Z  update  NetworkPolicy team-a/default-deny  DriftCorrected  succeeded  kubectl-edit  0123456789
                41   2026-03-01T11:59:00Z  event   -                                  Synced          succeeded  Ana Lima      0123456789

                """)
    }

    @Test func aNarrowTerminalCutsWhatCanBeLookedUp() {
        let text = renderEntryTable([JournalSample.correction], width: 100, isColoured: false)
        let lines = text.split(separator: "\n")
        #expect(lines.map(\.count).max() == 100)
        #expect(lines.last?.contains("NetworkPolicy t…") == true)
        #expect(lines.last?.contains("0123456789") == true)
        #expect(!renderEntryTable([], width: 1, isColoured: true).isEmpty)
    }

    @Test func coloursMarkIncidentsAndFailures() {
        var failed = JournalSample.correction
        failed.outcome = .failed
        let text = renderEntryTable([failed, JournalSample.sync], width: nil, isColoured: true)
        #expect(text.contains("\u{1b}[31mfailed\u{1b}[0m"))
        #expect(text.contains("\u{1b}[33mDriftCorrected\u{1b}[0m"))
        #expect(text.split(separator: "\n").last?.contains("\u{1b}") == false)
        // Colour takes no room: with it taken away the columns stand where they stood.
        let plain = text.replacing("\u{1b}[31m", with: "").replacing("\u{1b}[33m", with: "")
            .replacing("\u{1b}[0m", with: "")
        #expect(plain == renderEntryTable([failed, JournalSample.sync], width: nil, isColoured: false))
    }

    @Test func textOfOthersCannotSteerTheTerminal() throws {
        var entry = JournalSample.correction
        entry.actor?.name = "\u{1b}[2J\u{1b}]0;title\u{7}kube\u{202e}ctl\r"
        entry.message = "first\nsecond \u{9b}31m"
        entry.revision?.subject = "\u{1b}[1A"
        for text in [renderEntryTable([entry], width: nil, isColoured: false), try renderEntry(entry)] {
            let steering = text.unicodeScalars.filter {
                ($0.value < 0x20 && $0 != "\n") || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e
            }
            #expect(steering.isEmpty)
            #expect(text.contains(#"\u{1b}[2J\u{1b}]0;title\u{7}kube\u{202e}ctl\u{d}"#))
        }
        #expect(renderEntryTable([entry], width: nil, isColoured: false).split(separator: "\n").count == 2)
    }

    @Test func anEntryShowsEveryFactAndTheChange() throws {
        #expect(
            try renderEntry(JournalSample.correction) == #"""
                Entry:             42
                Time:              2026-03-01T12:00:00.000000Z
                Instance:          default on production
                What:              update (action)
                Object:            NetworkPolicy team-a/default-deny (networking.k8s.io/v1)
                UID:               u-1
                Resource version:  1002
                Reason:            DriftCorrected (incident)
                Outcome:           succeeded
                Duration:          4.250 ms
                Message:           put back what Git declares
                Revision:          0123456789abcdef0123456789abcdef01234567
                Author:            Ana Lima <ana@example.org>
                Committer:         Merge Bot <bot@example.org>
                Subject:           Deny by default (#12)
                Pull request:      #12
                Trailer:           Reviewed-by: Bo <bo@example.org>
                Actor:             kubectl-edit, Update at 2026-03-01T11:59:58Z (claimed: a field manager's name, which any client may choose)
                Audit id:          a-1
                Runbook:           Runbooks/DriftCorrected.md, of bylaw 0.1.0
                                   bylaw runbook show DriftCorrected

                Changed (- before, + after):
                  - metadata.labels[app.kubernetes.io/part-of]: "mischief"
                  - spec.egress[0]: {}

                Sent:
                  spec: {"egress":null}

                """#)
    }

    @Test func aBareEntryShowsNoEmptyFacts() throws {
        var entry = JournalSample.sync
        entry.revision = nil
        #expect(
            try renderEntry(entry) == """
                Entry:     41
                Time:      2026-03-01T11:59:00.000000Z
                Instance:  default on production
                What:      event
                Reason:    Synced
                Outcome:   succeeded
                Message:   12 objects
                           in step

                """)
    }

    @Test func whatUndoesAndWhatIsUndoneIsSaid() throws {
        var undone = JournalSample.sync
        (undone.revision, undone.refersTo) = (nil, 12)
        var later = JournalSample.sync
        (later.sequence, later.refersTo) = (50, 41)
        var told = later
        (told.sequence, told.reason, told.message) = (51, "ActorIdentified", "it was kubectl")
        #expect(
            try renderEntry(undone, later: [later, told]) == """
                Entry:      41
                Time:       2026-03-01T11:59:00.000000Z
                Instance:   default on production
                What:       event
                Reason:     Synced
                Outcome:    succeeded
                Message:    12 objects
                            in step
                Undoes:     entry 12
                Undone by:  entry 50
                see also    [51] it was kubectl

                """)
    }

    @Test func contentThatIsNoJSONIsAnError() {
        var entry = JournalSample.correction
        entry.before = "{"
        let broken = entry
        #expect(throws: JournalError.self) { try renderEntry(broken) }
        #expect(throws: JournalError.self) { try entryTree(broken) }
    }
}

enum JournalSample {
    static let revision = RevisionFacts(
        commit: "0123456789abcdef0123456789abcdef01234567", author: "Ana Lima <ana@example.org>",
        committer: "Merge Bot <bot@example.org>", subject: "Deny by default (#12)", pullRequest: 12,
        trailers: [.init(key: "Reviewed-by", value: "Bo <bo@example.org>")])

    private static func policy(version: Int64, egress: Tree?, isMarked: Bool) -> Tree {
        var tree: Tree = [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": [
                "name": "default-deny", "namespace": "team-a", "uid": "u-1", "resourceVersion": .string("\(version)"),
                "labels": ["app": "all"],
            ],
            "spec": ["podSelector": [:], "policyTypes": ["Ingress", "Egress"]],
        ]
        tree.set(["spec", "egress"], to: egress)
        if isMarked { tree.set(["metadata", "labels", "app.kubernetes.io/part-of"], to: "mischief") }
        return tree
    }

    static let correction = JournalEntry(
        sequence: 42, time: Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000), instance: "default",
        cluster: "production", kind: .action, reason: "DriftCorrected", isIncident: true, outcome: .succeeded,
        action: .update, object: ObjectID(.networkPolicy, namespace: "team-a", name: "default-deny"),
        objectVersion: "v1", uid: "u-1", resourceVersion: "1002",
        before: policy(version: 1001, egress: [[:]], isMarked: true).jsonText(),
        after: policy(version: 1002, egress: [], isMarked: false).jsonText(),
        patch: #"{"spec":{"egress":null}}"#, revision: revision,
        actor: Actor(name: "kubectl-edit", operation: "Update", time: "2026-03-01T11:59:58Z", certainty: .claimed),
        runbook: .init(path: "Runbooks/DriftCorrected.md", revision: "0.1.0"), duration: .microseconds(4_250),
        auditID: "a-1", message: "put back what Git declares")

    static let sync = JournalEntry(
        sequence: 41, time: Timestamp(microsecondsSinceEpoch: 1_772_366_340_000_000), instance: "default",
        cluster: "production", kind: .event, reason: "Synced", isIncident: false, outcome: .succeeded,
        revision: revision, message: "12 objects\nin step")
}
