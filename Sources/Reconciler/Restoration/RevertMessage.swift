import Manifest

/// The message of a commit that takes others back.
///
/// What comes from commits, incidents and people stands in it on lines of its own and can make no trailer: subjects are
/// kept to the first line, and the trailers are a paragraph that only this writes.
package struct RevertMessage: Sendable, Equatable {
    /// The commits that are taken back, newest first; never empty.
    package var reverts: [Revision]
    /// The earlier revision whose declared files it brings back exactly; nil where there is none.
    package var restores: String?
    /// What it is about, such as the number and reason of an incident.
    package var incident: String?
    /// Why, in a person's own words.
    package var because: String?

    private static let maximumLine = 512
    private static let maximumText = 8192

    package init(reverts: [Revision], restores: String?, incident: String? = nil, because: String? = nil) {
        self.reverts = reverts
        self.restores = restores
        self.incident = incident
        self.because = because
    }

    /// The whole message, with a line break at its end.
    package var text: String {
        var paragraphs = [subject, reverts.map { "This reverts commit \($0.commit)." }.joined(separator: "\n")]
        if let because { paragraphs.append(severalLines(because)) }
        var trailers = reverts.map { "\(RevertClaims.revertsTrailer): \($0.commit)" }
        if let restores { trailers.append("\(RevertClaims.restoresTrailer): \(restores)") }
        if let incident = incident.map(oneLine), !incident.isEmpty {
            trailers.append("\(RevertClaims.incidentTrailer): \(incident)")
        }
        paragraphs.append(trailers.joined(separator: "\n"))
        return paragraphs.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private var subject: String {
        guard let oldest = reverts.last else { return "Revert nothing" }
        guard reverts.count == 1 else { return "Restore the declared state before \(oldest.commit.prefix(12))" }
        let subject = oneLine(oldest.subject)
        return "Revert \"\(subject.isEmpty ? String(oldest.commit.prefix(12)) : subject)\""
    }

    /// On one line, without what a reader could not see, and not too long.
    private func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            line.unicodeScalars.append(isHarmless(scalar) ? scalar : " ")
        }
        return line.split(separator: " ").joined(separator: " ").bounded(toBytes: Self.maximumLine)
    }

    private func severalLines(_ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            oneLine(String($0))
        }
        let body = lines.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed()
        return body.joined(separator: "\n").bounded(toBytes: Self.maximumText)
    }

    private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }
}
