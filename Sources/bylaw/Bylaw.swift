import Commands
import Foundation

/// The program; everything is in Commands.
@main
enum Bylaw {
    static func main() async {
        let status = await runBylaw(
            Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
        // Not `exit`: its handlers take OpenSSL apart under the threads that are still closing their connections.
        fflush(nil)
        _exit(status)
    }
}
