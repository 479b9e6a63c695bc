import Analysis

/// The cause that a reader is led to first: what stands in the head revision, else what was removed; nil where no cause
/// is in a file.
func primaryCause(of finding: ChangeFinding) -> FindingCause? {
    finding.causes.first { $0.origin != nil && $0.edit != .removed } ?? finding.causes.first { $0.origin != nil }
}
