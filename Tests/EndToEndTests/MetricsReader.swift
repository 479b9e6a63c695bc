import Foundation
import HTTPClient
import Testing

extension RunningProgram {
    /// What makes a program serve metrics on a port that the system chooses.
    static let metricsFlags = ["--metrics-listen", "127.0.0.1:0"]

    /// The metrics that it serves now, by sample with its labels.
    func metrics() async throws -> [String: Double] {
        let line = try #require(text.split(separator: "\n").first { $0.contains("Serving metrics") }, "\(text)")
        let port = try #require(line.firstMatch(of: #/port=(\d+)/#)?.1, "\(line)")
        let exchanger = HTTPExchanger(tls: TLSConfiguration(), proxy: .none)
        defer { exchanger.shutdown() }
        let answer = try await exchanger.send(HTTPRequest(url: "http://127.0.0.1:\(port)/metrics"))
        try #require(answer.status == 200)
        var samples: [String: Double] = [:]
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "), "\(line)")
            samples[String(line[..<space])] = Double(String(line[line.index(after: space)...]))
        }
        return samples
    }
}
