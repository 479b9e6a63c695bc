/// Bounds that keep one hostile file from becoming a flood.
package enum ManifestLimits {
    /// The most findings that are reported for one file; the last one then says how many more there are.
    package static let findingsPerFile = 200
    /// The most findings that are reported for one revision; the last one then says how many more there are.
    package static let findingsPerRevision = 2000
    /// The most bytes of one object: what the API server's store takes.
    package static let objectBytes = 3 << 19
    /// How deeply lists of objects may stand inside lists.
    package static let nestedLists = 4
    /// The most characters of a value that a message repeats.
    package static let quotedCharacters = 160
    /// The most characters of a name that a field path repeats: the longest label key has fewer.
    static let nameCharacters = 400
}
