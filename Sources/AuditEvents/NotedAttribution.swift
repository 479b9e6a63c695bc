import Manifest

/// What was written down of who made a change, as far as it decides whether more can be said.
package struct NotedAttribution: Sendable, Equatable {
    package var certainty: Attribution.Certainty
    package var auditID: String
    /// Whether a proof rests on the mark of a field manager.
    package var restsOnMark: Bool

    package init(certainty: Attribution.Certainty, auditID: String, restsOnMark: Bool) {
        self.certainty = certainty
        self.auditID = auditID
        self.restsOnMark = restsOnMark
    }

    /// Whether no event that comes later can change it.
    package var isFinal: Bool { certainty == .proven && !restsOnMark }

    /// Whether an attribution says something else that is to be written down.
    ///
    /// A proof gives way to nothing but another proof, and one by a mark to the user who may have left the mark.
    package func isOutdone(by attribution: Attribution) -> Bool {
        let isAnother = !(attribution.event?.auditID ?? "").hasSameBytes(as: auditID)
        guard certainty == .proven, attribution.certainty != .proven else {
            return attribution.certainty > certainty || isAnother
        }
        return restsOnMark && attribution.takesBackMark
    }
}
