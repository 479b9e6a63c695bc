import Foundation
import HTTPClient
import Testing

extension RunningProgram {
    /// What makes a program serve its status on a port that the system chooses.
    static let statusFlags = ["--status-listen", "127.0.0.1:0"]

    /// The port at which it serves its status; waits until it does.
    func statusPort() async throws -> Int {
        try await untilItSays("Serving status")
        let line = try #require(text.split(separator: "\n").first { $0.contains("Serving status") }, "\(text)")
        return try #require(line.firstMatch(of: /port=(\d+)/).flatMap { Int($0.1) }, "\(line)")
    }

    /// What it answers to one path.
    func status(
        _ path: String, headers: [(name: String, value: String)] = []
    ) async throws -> (code: Int, text: String) {
        let exchanger = HTTPExchanger(tls: TLSConfiguration(), proxy: .none)
        defer { exchanger.shutdown() }
        let answer = try await exchanger.send(
            HTTPRequest(url: "http://127.0.0.1:\(try await statusPort())\(path)", headers: headers))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    /// The metrics that it serves now, by sample with its labels.
    func metrics() async throws -> [String: Double] {
        let answer = try await status("/metrics")
        try #require(answer.code == 200)
        var samples: [String: Double] = [:]
        for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "), "\(line)")
            samples[String(line[..<space])] = Double(String(line[line.index(after: space)...]))
        }
        return samples
    }
}
