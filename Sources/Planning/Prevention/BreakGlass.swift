package import Manifest

/// For how long the break-glass group may keep an object from being put right.
///
/// It is for where the API server itself sees to it that nobody else sets the annotation; anywhere else the annotation
/// means nothing, or whoever may write an object could keep it as it is.
package struct BreakGlass: Sendable, Equatable {
    package var now: Timestamp
    /// In seconds, from now.
    package var longest: Int

    package init(now: Timestamp, longest: Int) {
        self.now = now
        self.longest = longest
    }

    /// Until when an object is to be left as it is; nil where it does not say so, or not soundly.
    ///
    /// A time that is over, or too far ahead, is no such time. On an object of another instance the API server guards the
    /// annotation for that one, if at all.
    package func end(of live: LiveObject, instance: String) -> Timestamp? {
        let marker = live.label(Ownership.instanceLabel) ?? ""
        guard marker.isEmpty || marker.hasSameBytes(as: instance),
            let text = live.annotation(Ownership.breakGlassAnnotation), text.hasSuffix("Z"),
            text.utf8.count <= 30, text.utf8.dropFirst(10).first == UInt8(ascii: "T"), let end = Timestamp(text),
            now < end, end <= now.advanced(by: .seconds(longest))
        else { return nil }
        return end
    }
}
