import Analysis
import Arguments
import Reports
import Signatures

/// A comparison in the form that was asked for.
func renderChange(_ report: ChangeReport, _ invocation: Invocation, failOn: Severity) -> String {
    switch invocation.arguments.text("output") {
    case "json": renderChangeJSON(report)
    case "markdown": renderChangeMarkdown(report, runbookBaseURL: invocation.arguments.text("runbook-url"))
    case "junit": renderChangeJUnit(report, failOn: failOn)
    case "sarif":
        renderChangeSARIF(
            report,
            options: SARIFOptions(
                toolVersion: bylawVersion, runbookBaseURL: invocation.arguments.text("runbook-url"),
                fallbackFile: invocation.arguments.text("path") ?? "."
            ) { sha256Hex(Array($0.utf8)) })
    default: renderChangeText(report, colour: invocation.terminal.isColoured)
    }
}
