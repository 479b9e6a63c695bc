/// What the journal keeps of texts that others wrote: commit messages, server answers, field manager names.
enum TextLimit {
    static let message = 64 << 10
    static let trailers = 64 << 10
    static let line = 4 << 10
    /// An API server takes no object larger than about 1.5 MB; this only bounds what a broken one can make us keep.
    static let content = 8 << 20
}
