import Commands
import JSON
import Journal
import Manifest
import Testing

/// What programs read.
///
/// A difference here breaks them: add members, never rename or drop one.
@Suite struct JournalRenderingJSONTests {
    @Test func anEntryHasItsContractForm() throws {
        #expect(
            try entryTree(JournalSample.correction).indentedJSON().trimmed() == #"""
                {
                  "action": "update",
                  "actor": {
                    "certainty": "claimed",
                    "name": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-03-01T11:59:58Z"
                  },
                  "after": {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {
                      "labels": {
                        "app": "all"
                      },
                      "name": "default-deny",
                      "namespace": "team-a",
                      "resourceVersion": "1002",
                      "uid": "u-1"
                    },
                    "spec": {
                      "egress": [],
                      "podSelector": {},
                      "policyTypes": [
                        "Ingress",
                        "Egress"
                      ]
                    }
                  },
                  "apiVersion": "bylaw.dev/v1",
                  "auditID": "a-1",
                  "before": {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {
                      "labels": {
                        "app": "all",
                        "app.kubernetes.io/part-of": "mischief"
                      },
                      "name": "default-deny",
                      "namespace": "team-a",
                      "resourceVersion": "1001",
                      "uid": "u-1"
                    },
                    "spec": {
                      "egress": [
                        {}
                      ],
                      "podSelector": {},
                      "policyTypes": [
                        "Ingress",
                        "Egress"
                      ]
                    }
                  },
                  "cluster": "production",
                  "durationMicroseconds": 4250,
                  "incident": true,
                  "instance": "default",
                  "kind": "JournalEntry",
                  "message": "put back what Git declares",
                  "object": {
                    "group": "networking.k8s.io",
                    "kind": "NetworkPolicy",
                    "name": "default-deny",
                    "namespace": "team-a",
                    "resourceVersion": "1002",
                    "uid": "u-1",
                    "version": "v1"
                  },
                  "outcome": "succeeded",
                  "patch": {
                    "spec": {
                      "egress": null
                    }
                  },
                  "reason": "DriftCorrected",
                  "revision": {
                    "author": "Ana Lima <ana@example.org>",
                    "commit": "0123456789abcdef0123456789abcdef01234567",
                    "committer": "Merge Bot <bot@example.org>",
                    "pullRequest": 12,
                    "subject": "Deny by default (#12)",
                    "trailers": [
                      {
                        "key": "Reviewed-by",
                        "value": "Bo <bo@example.org>"
                      }
                    ]
                  },
                  "runbook": {
                    "path": "Runbooks/DriftCorrected.md",
                    "revision": "0.1.0"
                  },
                  "sequence": 42,
                  "time": "2026-03-01T12:00:00.000000Z",
                  "type": "action"
                }
                """#)
    }

    @Test func anEntryIsShownWithWhatRefersToIt() throws {
        var bare = JournalSample.sync
        (bare.revision, bare.refersTo) = (nil, 12)
        var undoing = bare
        (undoing.sequence, undoing.refersTo) = (50, 41)
        var told = undoing
        (told.sequence, told.reason) = (51, "ActorIdentified")
        #expect(
            try entryAnswer(bare, later: [undoing, told]).jsonText() == """
                {"apiVersion":"bylaw.dev/v1","cluster":"production","incident":false,"instance":"default",\
                "kind":"JournalEntry","message":"12 objects\\nin step","outcome":"succeeded","reason":"Synced",\
                "referredBy":[51],"refersTo":12,"sequence":41,"time":"2026-03-01T11:59:00.000000Z","type":"event",\
                "undoes":12,"undoneBy":[50]}
                """)
        #expect(try entryAnswer(told, later: [])["undoes"] == nil, "it only says more")
        #expect(try entryAnswer(JournalSample.sync, later: []) == entryTree(JournalSample.sync))
    }

    @Test func aListHasItsContractForm() throws {
        var bare = JournalSample.sync
        bare.revision = nil
        #expect(
            try entryListTree([bare]).jsonText() == """
                {"apiVersion":"bylaw.dev/v1","items":[{"apiVersion":"bylaw.dev/v1","cluster":"production",\
                "incident":false,"instance":"default","kind":"JournalEntry","message":"12 objects\\nin step",\
                "outcome":"succeeded","reason":"Synced","sequence":41,"time":"2026-03-01T11:59:00.000000Z",\
                "type":"event"}],"kind":"JournalEntryList"}
                """)
        #expect(
            try entryListTree([]).jsonText() == #"{"apiVersion":"bylaw.dev/v1","items":[],"kind":"JournalEntryList"}"#)
    }
}

extension String {
    fileprivate func trimmed() -> String { hasSuffix("\n") ? String(dropLast()) : self }
}
