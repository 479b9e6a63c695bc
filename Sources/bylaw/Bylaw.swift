import Commands
import Foundation

/// The program; everything is in Commands.
@main
enum Bylaw {
    static func main() async {
        let status = await runBylaw(
            Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
        exit(status)
    }
}
