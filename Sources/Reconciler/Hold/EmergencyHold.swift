package import Manifest

/// A revision that stays enforced until a moment, and who asked for that, and why.
///
/// It is for the minutes before a revert is merged. It carries no approval, and says who set it only by that client's own
/// word: the API server's audit log is what proves it.
package struct EmergencyHold: Sendable, Equatable {
    /// Whose enforced revision it is about.
    package var instance: String
    /// On which cluster, by the name that the journal has for it; nil: on the one whose API server keeps it.
    package var cluster: String?
    /// The full id of the commit.
    package var revision: String
    package var until: Timestamp
    package var because: String
    /// Who set it, by its own word; empty where it does not say.
    package var setBy: String
    package var setAt: Timestamp

    package init(
        instance: String, cluster: String? = nil, revision: String, until: Timestamp, because: String, setBy: String,
        setAt: Timestamp
    ) {
        self.instance = instance
        self.cluster = cluster
        self.revision = revision
        self.until = until
        self.because = because
        self.setBy = setBy
        self.setAt = setAt
    }

    /// The shortest time that one can be asked for.
    package static let shortest = Duration.seconds(60)
    /// The longest time between setting one and its end: whoever wants longer says so again each day.
    package static let longest = Duration.seconds(86_400)
    /// Of the reason, in bytes.
    package static let maximumReasonBytes = 1024
    /// Of a name, in bytes.
    package static let maximumNameBytes = 256
}

/// How somebody ended a hold before its time.
package struct EmergencyHoldEnd: Sendable, Equatable {
    package var at: Timestamp
    /// By its own word; empty where it does not say.
    package var by: String
    /// Empty where nobody gave a reason.
    package var because: String

    package init(at: Timestamp, by: String, because: String) {
        self.at = at
        self.by = by
        self.because = because
    }
}

/// Why something that is kept in the place of holds is none; a sentence without a full stop.
package struct EmergencyHoldFlaw: Error, Sendable, Equatable {
    package var message: String
}

/// What is kept in the place of holds: one hold, and its end where somebody ended it early.
package struct EmergencyHoldRecord: Sendable, Equatable {
    package var hold: EmergencyHold
    package var end: EmergencyHoldEnd?

    package init(hold: EmergencyHold, end: EmergencyHoldEnd? = nil) {
        self.hold = hold
        self.end = end
    }

    /// The members of the ConfigMap's `data`, all of them text, so that `kubectl` alone can show and write them.
    private enum Key: String, CaseIterable {
        case instance, cluster, revision, until, because, setBy, setAt, endedAt, endedBy, endedBecause
    }

    package var data: [String: String] {
        var data: [Key: String] = [
            .instance: hold.instance, .revision: hold.revision, .until: hold.until.description,
            .because: hold.because, .setBy: hold.setBy, .setAt: hold.setAt.description,
        ]
        data[.cluster] = hold.cluster
        if let end {
            data[.endedAt] = end.at.description
            data[.endedBy] = end.by
            data[.endedBecause] = end.because
        }
        return Dictionary(uniqueKeysWithValues: data.map { ($0.key.rawValue, $0.value) })
    }

    /// Reads what ``data`` gives, by whatever client it was written.
    ///
    /// - Returns: Nil where nothing is kept.
    package init?(data: [String: String]) throws(EmergencyHoldFlaw) {
        guard !data.isEmpty else { return nil }
        func text(_ key: Key, atMost bytes: Int) throws(EmergencyHoldFlaw) -> String? {
            guard let value = data[key.rawValue], !value.isEmpty else { return nil }
            if let flaw = flawOfHoldText(value, maximumBytes: bytes) {
                throw EmergencyHoldFlaw(message: "\(key.rawValue) \(flaw)")
            }
            return value
        }
        func needed(_ key: Key, atMost bytes: Int = EmergencyHold.maximumNameBytes) throws(EmergencyHoldFlaw) -> String
        {
            guard let value = try text(key, atMost: bytes) else {
                throw EmergencyHoldFlaw(message: "\(key.rawValue) is missing")
            }
            return value
        }
        func time(_ key: Key) throws(EmergencyHoldFlaw) -> Timestamp {
            guard let time = Timestamp(try needed(key)) else {
                throw EmergencyHoldFlaw(message: "\(key.rawValue) is no time as RFC 3339 writes it")
            }
            return time
        }
        let revision = try needed(.revision)
        guard isCommitID(revision) else {
            throw EmergencyHoldFlaw(message: "revision is not the whole id of a commit")
        }
        hold = EmergencyHold(
            instance: try needed(.instance), cluster: try text(.cluster, atMost: EmergencyHold.maximumNameBytes),
            revision: revision, until: try time(.until),
            because: try needed(.because, atMost: EmergencyHold.maximumReasonBytes),
            setBy: try text(.setBy, atMost: EmergencyHold.maximumNameBytes) ?? "", setAt: try time(.setAt))
        guard hold.setAt < hold.until, hold.until <= hold.setAt.advanced(by: EmergencyHold.longest) else {
            throw EmergencyHoldFlaw(message: "until is not within 24 hours after setAt")
        }
        guard data[Key.endedAt.rawValue] != nil else { return }
        end = EmergencyHoldEnd(
            at: try time(.endedAt), by: try text(.endedBy, atMost: EmergencyHold.maximumNameBytes) ?? "",
            because: try text(.endedBecause, atMost: EmergencyHold.maximumReasonBytes) ?? "")
    }
}

/// What is wrong with a text that somebody gives with a hold; nil where nothing is.
package func flawOfHoldText(_ text: String, maximumBytes: Int) -> String? {
    guard text.utf8.count <= maximumBytes else { return "has more than \(maximumBytes) bytes" }
    let isPlain = text.unicodeScalars.allSatisfy {
        ![.control, .lineSeparator, .paragraphSeparator, .surrogate].contains($0.properties.generalCategory)
    }
    guard isPlain else { return "has a control character or a line break" }
    return text.allSatisfy(\.isWhitespace) ? "is empty" : nil
}

/// Whether a text is the full id of a commit, in lower-case hexadecimal.
package func isCommitID(_ text: String) -> Bool {
    text.utf8.count == 40
        && text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
}
