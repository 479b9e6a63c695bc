extension String {
    /// The text on one line and within a length, for descriptions and messages.
    ///
    /// White space, control characters and what turns the direction of text become single spaces; what is cut off is
    /// shown by an ellipsis. `maximum` counts Unicode scalars, as the hosts do, and is at least 1.
    func onOneLine(maximum: Int) -> String {
        var result = String.UnicodeScalarView()
        var count = 0
        var isSpacePending = false
        for scalar in unicodeScalars {
            if scalar.isBlankOnOneLine {
                isSpacePending = count > 0
                continue
            }
            let needed = isSpacePending ? 2 : 1
            guard count + needed <= maximum else {
                while result.count >= max(maximum, 1) { result.removeLast() }
                return String(result) + "…"
            }
            if isSpacePending { result.append(" ") }
            result.append(scalar)
            count += needed
            isSpacePending = false
        }
        return String(result)
    }

    /// The text within a length, cut at the end of a line, with a last line that says so.
    ///
    /// A code block that the cut left open is closed, so that the last line is not read as code. `maximum` counts
    /// Unicode scalars; below the length of `note` nothing but its beginning is left.
    func cut(toScalars maximum: Int, note: String) -> String {
        guard unicodeScalars.count > maximum else { return self }
        let ending = "\n\n" + note + "\n"
        let fence = "\n```"
        let room = maximum - ending.unicodeScalars.count - fence.unicodeScalars.count
        guard room > 0 else { return String(String.UnicodeScalarView(note.unicodeScalars.prefix(maximum))) }
        var kept = unicodeScalars.prefix(room)
        if let lineEnd = kept.lastIndex(of: "\n") { kept = kept[..<lineEnd] }
        var fences = 0
        for line in kept.split(separator: "\n") where line.starts(with: "```".unicodeScalars) { fences += 1 }
        return String(Substring(kept)) + (fences % 2 == 1 ? fence : "") + ending
    }
}

extension Unicode.Scalar {
    fileprivate var isBlankOnOneLine: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .unassigned: true
        default: false
        }
    }
}
