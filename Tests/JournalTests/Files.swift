import Foundation

func copyFile(_ source: String, to destination: String) throws {
    try bytes(of: source).write(to: URL(fileURLWithPath: destination))
}

func bytes(of path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
