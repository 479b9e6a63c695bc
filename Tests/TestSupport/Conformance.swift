import Foundation

/// Kubernetes' own answers, as data that lies beside the project and is never copied into it.
package enum Conformance {
    /// The folder of the data, or nil where there is none: `BYLAW_CONFORMANCE`, else `../shared/conformance`.
    package static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["BYLAW_CONFORMANCE"]
        let candidate = named ?? FileManager.default.currentDirectoryPath + "/../shared/conformance"
        return FileManager.default.fileExists(atPath: candidate) ? candidate : nil
    }()

    /// For `.enabled(if:_:)`: says so where the data is missing, instead of passing in silence.
    package static let isPresent = folder != nil
    package static let absence = "skipped: no conformance data (set BYLAW_CONFORMANCE)"

    /// The bytes of one file of the data.
    package static func read(_ relativePath: String) throws -> [UInt8] {
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + relativePath)))
    }

    /// The lines of one JSON-lines file, without empty ones.
    package static func lines(_ relativePath: String) throws -> [[UInt8]] {
        try read(relativePath).split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }
}
