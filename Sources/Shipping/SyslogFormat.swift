import JSON
import Manifest

/// Journal entries as messages of syslog (RFC 5424), framed for a TLS connection (RFC 5425).
///
/// Nothing is ever answered: what was written to the connection may be lost with it, so that a sender counts an entry as
/// delivered no sooner than it must and sends again what it is not sure of.
package struct SyslogFormat: Sendable, Equatable {
    /// 13, log audit, unless told otherwise; 0...23 (RFC 5424, section 6.2.1).
    package var facility: Int
    /// The private enterprise number behind the name of the structured data (RFC 5424, section 6.3.2).
    ///
    /// 32473 is the one that is set aside for examples (RFC 5612); whoever has a number registered gives that.
    package var enterpriseNumber: Int
    /// The name of this host, or nil to say the instance of each entry.
    package var hostname: String?
    /// The largest message, without its frame, in octets.
    ///
    /// Receivers must take 2048 and should take 8192 (RFC 5425, section 4.3.1); rsyslog takes 8 KiB unless told otherwise
    /// (`maxMessageSize`), syslog-ng that or more (`log-msg-size`). Less than 2048 counts as 2048.
    package var maximumBytes: Int

    package init(
        facility: Int = 13, enterpriseNumber: Int = 32473, hostname: String? = nil, maximumBytes: Int = 8192
    ) {
        self.facility = facility
        self.enterpriseNumber = enterpriseNumber
        self.hostname = hostname
        self.maximumBytes = maximumBytes
    }

    /// The message with its length before it (RFC 5425, section 4.3): no octet in it can be taken for its end.
    package func frame(_ entry: ShippedEntry) -> [UInt8] {
        let message = message(entry)
        return Array("\(message.count) ".utf8) + message
    }

    /// One message, of at most ``maximumBytes``.
    package func message(_ entry: ShippedEntry) -> [UInt8] {
        let limit = max(maximumBytes, 2048)
        let body = escapingControls(entry.document.jsonText())
        let whole = head(entry, isTruncated: false)
        if whole.utf8.count + body.utf8.count <= limit { return Array((whole + body).utf8) }
        let head = head(entry, isTruncated: true)
        let room = limit - head.utf8.count
        // Escapes may make a text longer, so that it is the escaped one which is measured.
        var shorter = escapingControls(entry.text(fitting: room).text)
        if shorter.utf8.count > room { shorter = shorter.cut(toBytes: room) }
        return Array((head + shorter).utf8)
    }

    /// Everything before the text, with the mark that says it is UTF-8 (RFC 5424, section 6.4).
    ///
    /// At most some 1500 octets, whatever the names are.
    private func head(_ entry: ShippedEntry, isTruncated: Bool) -> String {
        let priority = min(max(facility, 0), 23) * 8 + severity(entry)
        let header = [
            "<\(priority)>1", entry.time.writable.description,
            syslogField(hostname ?? entry.instance, maximumBytes: 255), "bylaw", "-",
            syslogField(entry.reason, maximumBytes: 32),
        ]
        var parameters = [
            ("journal", entry.journal, 64), ("sequence", String(entry.sequence), 20),
            ("instance", entry.instance, 128), ("cluster", entry.cluster, 128), ("outcome", entry.outcome, 32),
            ("incident", entry.isIncident ? "true" : "false", 5),
        ]
        if isTruncated { parameters.append(("truncated", "true", 4)) }
        let data = parameters.map { name, value, limit in
            " \(name)=\(syslogParameterValue(value, maximumBytes: limit))"
        }
        return header.joined(separator: " ") + " [bylaw@\(max(enterpriseNumber, 1))\(data.joined())] \u{FEFF}"
    }

    /// RFC 5424, section 6.2.1.
    private func severity(_ entry: ShippedEntry) -> Int {
        switch entry.severity {
        case .error: 3
        case .warning: 4
        case .informational: 6
        }
    }
}
