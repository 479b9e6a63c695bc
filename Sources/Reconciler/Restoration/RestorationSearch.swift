import Guardrails

/// Finds whether a new revision brings back what was in force before.
///
/// Proven is that by the journal alone: the earlier revision was accepted, and a pass once ended with all of it in the
/// cluster and nothing of it held. So what a guardrail never let through cannot be had by taking something back and bringing
/// it again.
struct RestorationSearch {
    /// As they were before the new revision, or with it as the newest.
    let states: DeclaredStates
    let canonical: Canonical

    func finds(_ loaded: LoadedRevision) -> Bool {
        states.inForce(stateDigest(of: loaded.declared, canonical: canonical)) != nil
    }
}
