package import Shipping

/// Reads a file of headers, one `Name: value` a line; empty lines and those that begin with `#` are left out.
///
/// - Throws: ``CommandFailure`` that names the line and repeats nothing of it, since it may be a secret.
package func readTraceHeaders(_ text: String, file: String) throws(CommandFailure) -> [DeliveryHeader] {
    var headers: [DeliveryHeader] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    for (number, line) in lines.enumerated() {
        let line = line.trimmingPrefix { $0 == " " || $0 == "\t" }
        guard !line.isEmpty, line.first != "#" else { continue }
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
            throw CommandFailure(
                message: "\(file), line \(number + 1): no header", hint: "Write each as NAME: VALUE on its own line.")
        }
        var value = line[line.index(after: colon)...].trimmingPrefix { $0 == " " || $0 == "\t" }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        headers.append(DeliveryHeader(String(line[..<colon]), String(value)))
    }
    return headers
}
