import ChildProcess
import Foundation

/// A program could not be written.
package struct ProgramNotWritten: Error { package var path: String }

extension ScratchDirectory {
    /// Writes a program below the folder that can be run at once; gives back its whole path.
    ///
    /// A shell writes it: a file that this process has open for writing cannot be executed ("Text file busy"), and each
    /// child that another test starts at that moment would keep it open.
    @discardableResult
    package func writeProgram(_ text: String, to relativePath: String) throws -> String {
        let file = path + "/" + relativePath
        let script = "mkdir -p \"${2%/*}\" && printf %s \"$1\" >\"$2\" && chmod +x \"$2\""
        var shell = try ChildProcess("sh", ["-c", script, "sh", text, file], environment: ["PATH": "/usr/bin:/bin"])
        shell.closeInput()
        guard shell.end(within: .seconds(60)) == .exited(0) else { throw ProgramNotWritten(path: file) }
        return file
    }
}
