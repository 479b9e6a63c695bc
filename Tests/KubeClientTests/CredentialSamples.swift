import Foundation
import HTTPClient
import KubeClient
import Manifest
import Synchronization
import TestSupport

/// PEM text around the smallest thing that has the shape of a certificate or key.
func pem(_ label: String = "CERTIFICATE", _ mark: UInt8 = 1) -> String {
    "-----BEGIN \(label)-----\n\(Data([0x30, 0x03, 0x02, 0x01, mark]).base64EncodedString())\n-----END \(label)-----\n"
}

func certificate(_ mark: UInt8 = 1) -> String { pem("CERTIFICATE", mark) }
func key(_ mark: UInt8 = 1) -> String { pem("PRIVATE KEY", mark) }
func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Clocks that stand still until they are moved.
final class ManualClock: Sendable {
    private let elapsed = Mutex(Duration.seconds(1000))
    private static let beginning = Timestamp(microsecondsSinceEpoch: 1_700_000_000_000_000)

    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

    var now: Duration { elapsed.withLock { $0 } }
    var uptime: @Sendable () -> Duration { { [self] in now } }
    var time: @Sendable () -> Timestamp { { [self] in Self.beginning.advanced(by: now) } }
}

extension Authorization {
    var text: String? { header.map { String(decoding: $0.bytes, as: UTF8.self) } }
}

extension ScratchDirectory {
    func remove(_ relativePath: String) throws {
        try FileManager.default.removeItem(atPath: path + "/" + relativePath)
    }
}
