package import Manifest
package import Reconciler
import Telemetry
package import Tracing

/// The code of a request that no answer came to.
let noAnswer = "error"

/// What the adapters tell; these are called for each request and each write.
extension ControllerMetrics {
    /// What to give to a cluster so that its traffic is counted.
    package var traffic: ClusterTraffic {
        ClusterTraffic(noteCall: note) { resource, reason in
            registry.add(to: Families.watchRestarts, ["kind": resource.kind, "reason": reason.rawValue])
        }
    }

    private func note(_ call: ClusterCall) {
        registry.add(
            to: Families.requests,
            [
                "verb": call.verb, "resource": call.resource?.qualifiedPlural ?? "other",
                "code": call.status == 0 ? noAnswer : String(call.status),
            ])
        registry.observe(call.duration / .seconds(1), in: Families.requestDuration, ["verb": call.verb])
    }

    /// Takes in how a write to the journal went.
    package func noteJournalWrite(_ duration: Duration, isDone: Bool) {
        registry.add(to: Families.journalWrites, ["outcome": isDone ? "succeeded" : "failed"])
        registry.observe(duration / .seconds(1), in: Families.journalWriteDuration)
    }

    /// Takes in how far the journal has grown; 0 where that is not known.
    package func noteJournal(newest sequence: Int64) {
        guard sequence > 0 else { return }
        registry.set(Families.journalSequence, to: Double(sequence))
    }

    /// Takes in that the journal was signed up to an entry, or needed no other signature.
    package func noteCheckpoint(upTo sequence: Int64, at time: Timestamp) {
        registry.set(Families.signedSequence, to: Double(sequence))
        registry.set(Families.lastCheckpoint, to: time.secondsSinceEpoch)
    }

    /// Takes in what became of spans.
    package func noteSpans(_ count: Int, _ fate: SpanFate) {
        registry.add(Double(count), to: Families.traceSpans, ["outcome": fate.rawValue])
    }

    /// Takes in how an attempt to send spans ended.
    package func noteTraceExport(isDone: Bool) {
        registry.add(to: Families.traceExports, ["outcome": isDone ? "succeeded" : "failed"])
    }

    /// Forgets the receivers that an earlier configuration named.
    package func noteShippingBegins() {
        registry.clear(Families.shippedSequence)
        registry.clear(Families.lastShipment)
        noteShippingStalled(false)
    }

    /// Takes in up to which entry a receiver has the journal.
    package func noteShipped(to receiver: String, upTo sequence: Int64, at time: Timestamp) {
        registry.set(Families.shippedSequence, to: Double(sequence), ["receiver": receiver])
        registry.set(Families.lastShipment, to: time.secondsSinceEpoch, ["receiver": receiver])
    }

    /// Takes in whether what the configuration file holds was taken, or refused.
    package func noteConfiguration(isTaken: Bool, at time: Timestamp) {
        registry.set(Families.configurationTaken, to: isTaken ? 1 : 0)
        if isTaken { registry.set(Families.configurationTakenAt, to: time.secondsSinceEpoch) }
    }
}
